package asm

import "strings"

// maxDepth ends the expansion of a macro that contains itself.
const maxDepth = 20

// code returns the statements with every macro replaced by its body, except the
// macros that emit a word.
func (src *source) code() []statement {
	var all []statement
	for _, s := range src.statements {
		all = append(all, src.expand(s, 0)...)
	}
	return all
}

func (src *source) expand(s statement, depth int) []statement {
	var out strings.Builder
	text, changed := s.text, false
	for {
		at := identifier.FindStringIndex(text)
		if at == nil {
			break
		}
		m, ok := src.macros[text[at[0]:at[1]]]
		rest := text[at[1]:]
		if !ok || m.emitsWord() || m.call && !strings.HasPrefix(rest, "(") || depth == maxDepth {
			out.WriteString(text[:at[1]])
			text = rest
			continue
		}
		out.WriteString(text[:at[0]])
		body := m.body
		if m.call {
			var args []string
			args, rest = arguments(rest)
			body = m.substitute(args)
		}
		out.WriteString(body)
		text, changed = rest, true
	}
	if !changed {
		return []statement{s}
	}
	out.WriteString(text)
	var all []statement
	for _, s.text = range split(out.String()) {
		all = append(all, src.expand(s, depth+1)...)
	}
	return all
}

// substitute returns the body with the parameters replaced.
func (m macro) substitute(args []string) string {
	return identifier.ReplaceAllStringFunc(m.body, func(word string) string {
		for i, p := range m.params {
			if p == word && i < len(args) {
				return args[i]
			}
		}
		return word
	})
}

// arguments splits "(a, b) rest" into a, b and the rest.
func arguments(text string) (args []string, rest string) {
	depth, start := 0, 1
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ',' && depth == 1:
			args = append(args, strings.TrimSpace(text[start:i]))
			start = i + 1
		case c == ')':
			depth--
			if depth == 0 {
				return append(args, strings.TrimSpace(text[start:i])), text[i+1:]
			}
		}
	}
	return args, ""
}
