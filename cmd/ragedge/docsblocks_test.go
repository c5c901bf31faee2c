package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// paragraph is a run of lines in a code block of a page, without an empty one.
type paragraph struct {
	page, language string // the language is that of a fenced block
	line           int    // of the page, the first one's
	lines          []string
}

// paragraphs takes them out of a page, whose code blocks are indented by four or fenced.
func paragraphs(page, text string) (all []paragraph) {
	var now paragraph
	end := func() {
		if len(now.lines) > 0 {
			all = append(all, now)
		}
		now = paragraph{page: page, language: now.language}
	}
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case isFence:
			end()
			fenced = !fenced
			now.language = fence
			continue
		case fenced:
			code = line
		case !indented:
			end()
			continue
		}
		if strings.TrimSpace(code) == "" {
			end()
			continue
		}
		if len(now.lines) == 0 {
			now.line = i + 1
		}
		now.lines = append(now.lines, code)
	}
	end()
	return all
}

// configuration says whether the paragraph is TOML.
func (p *paragraph) configuration() bool {
	return p.language == "toml" || p.language == "" && strings.HasPrefix(p.lines[0], "[")
}

// output are the beginnings of paragraphs without a prompt that nobody types in.
var output = map[string]bool{
	"{":                                true, // JSON
	" time   answer     sure":          true,
	"The whole recording, twice more":  true,
	"2880 of 2880 Results compared":    true,
	"ragedge,host=":                    true, // Influx' line protocol
	"L_r = ":                           true,
	"model, err := fusion.Load":        true, // Go
	"model, moments = RegionGate.load": true, // Python; TestPythonDocument runs it
	"from moments import":              true,
}

// typed is a command as a page shows it.
type typed struct {
	page string
	line int
	text string
}

const prompt = "$ "

// commands are those of the paragraph: its lines, with what a \ continues; of a
// paragraph with prompts those that have one.
func (p *paragraph) commands() (all []typed) {
	prompts := strings.HasPrefix(p.lines[0], prompt)
	for i := 0; i < len(p.lines); i++ {
		command, prompted := strings.CutPrefix(p.lines[i], prompt)
		c := typed{p.page, p.line + i, command}
		for ; strings.HasSuffix(c.text, "\\"); i++ {
			c.text += "\n" + p.lines[i+1]
		}
		if prompted == prompts {
			all = append(all, c)
		}
	}
	return all
}

// typedIn are all commands of all pages, by page and in their order.
func typedIn(t *testing.T) map[string][]typed {
	all, seen := map[string][]typed{}, map[string]bool{}
	for page, text := range pages(t) {
	next:
		for _, p := range paragraphs(page, text) {
			if p.configuration() {
				continue
			}
			for beginning := range output {
				if strings.HasPrefix(p.lines[0], beginning) {
					seen[beginning] = true
					continue next
				}
			}
			all[page] = append(all[page], p.commands()...)
		}
	}
	require.Equal(t, output, seen, "a kind of output that no page shows any more")
	return all
}

// comment is what a shell leaves away at the end of a line.
var comment = regexp.MustCompile(`\s+# .*$`)

func TestParagraphs(t *testing.T) {
	const page = "text `code`\n\n    [api]\n    a = 1\n\n    $ one  # why\n    output\n    $ two \\\n      three\n    $ four\n\ntext\n\n```toml\n[x]\n\n[y]\n```\n"
	all := paragraphs("p.md", page)
	require.Equal(t, []paragraph{
		{"p.md", "", 3, []string{"[api]", "a = 1"}},
		{"p.md", "", 6, []string{"$ one  # why", "output", "$ two \\", "  three", "$ four"}},
		{"p.md", "toml", 15, []string{"[x]"}},
		{"p.md", "toml", 17, []string{"[y]"}},
	}, all)
	require.Equal(t, []typed{{"p.md", 6, "one  # why"}, {"p.md", 8, "two \\\n  three"}, {"p.md", 10, "four"}}, all[1].commands())
	require.Equal(t, "one", comment.ReplaceAllString("one  # why", ""))
	require.True(t, all[3].configuration())
}
