package asm

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

var (
	identifier = regexp.MustCompile(`\b[A-Za-z_]\w*`)
	include    = regexp.MustCompile(`^#include\s+"(.*)"$`)
	define     = regexp.MustCompile(`^#define\s+(\w+)(\([^)]*\))?`)
)

// statement is one instruction, label or directive, with single spaces.
type statement struct {
	file     string
	line     int
	function string // the TEXT symbol it belongs to
	text     string
	comment  string // that of the same line; for a macro that of the line above
}

// macro is a #define.
type macro struct {
	at     statement
	name   string
	call   bool // it has a parameter list
	params []string
	body   string // may have several lines
}

// emitsWord reports whether the macro is a hand-encoded instruction.
func (m macro) emitsWord() bool { return identifier.FindString(m.body) == "WORD" }

// source is one file, and the macros of the headers it includes.
type source struct {
	statements []statement
	own        []macro
	macros     map[string]macro // own and included
}

func read(fsys fs.FS, name string) (*source, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read assembly: %w", err)
	}
	src := &source{macros: map[string]macro{}}
	function, above := "", ""
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		s := statement{file: name, line: i + 1}
		var code string
		code, s.comment = cutComment(lines[i])
		for strings.HasSuffix(code, `\`) && i+1 < len(lines) {
			i++
			next, _ := cutComment(lines[i])
			code = code[:len(code)-1] + "\n" + next
		}
		if header := include.FindStringSubmatch(code); header != nil {
			if err := src.include(fsys, header[1]); err != nil {
				return nil, err
			}
		} else if define.MatchString(code) {
			src.define(s, above, code)
		} else if !strings.HasPrefix(code, "#") {
			for _, s.text = range split(code) {
				if symbol, ok := strings.CutPrefix(s.text, "TEXT "); ok {
					function, _, _ = strings.Cut(symbol, "(")
				}
				s.function = function
				src.statements = append(src.statements, s)
			}
		}
		above = ""
		if code == "" {
			above = s.comment
		}
	}
	return src, nil
}

func cutComment(line string) (code, comment string) {
	code, comment, _ = strings.Cut(line, "//")
	return strings.TrimSpace(code), strings.TrimSpace(comment)
}

// split separates the statements of code, and a label from what follows it.
func split(code string) (all []string) {
	for part := range strings.FieldsFuncSeq(code, func(c rune) bool { return c == ';' || c == '\n' }) {
		fields := strings.Fields(part)
		if len(fields) > 1 && strings.HasSuffix(fields[0], ":") {
			all = append(all, fields[0])
			fields = fields[1:]
		}
		if len(fields) > 0 {
			all = append(all, strings.Join(fields, " "))
		}
	}
	return all
}

// include takes the macros of another file of fsys. What fsys does not have, such
// as textflag.h, is the Go tree's and defines no instruction.
func (src *source) include(fsys fs.FS, name string) error {
	if _, err := fs.Stat(fsys, name); err != nil {
		return nil
	}
	header, err := read(fsys, name)
	if err != nil {
		return err
	}
	for name, m := range header.macros {
		src.macros[name] = m
	}
	return nil
}

func (src *source) define(s statement, above, code string) {
	head := define.FindStringSubmatch(code)
	m := macro{at: s, name: head[1], call: head[2] != "", body: strings.TrimSpace(code[len(head[0]):])}
	m.at.comment = above
	if m.call {
		m.params, _ = arguments(head[2])
	}
	src.own = append(src.own, m)
	src.macros[m.name] = m
}
