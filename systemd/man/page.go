package main

import (
	"fmt"
	"strings"
)

// page is a manual page in the macros of man(7).
type page struct{ strings.Builder }

// newPage begins a page: its name, its section of the manual, and what it is about.
func newPage(name, section, day, short string) *page {
	p := &page{}
	fmt.Fprintf(p, ".TH %s %s %s ragedge \"ragedge manual\"\n", strings.ToUpper(name), section, day)
	p.section("SH", "NAME")
	fmt.Fprintf(p, "%s \\- %s\n", escape(name), escape(short))
	return p
}

// escape protects what roff would take for its own.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, `"`, `\(dq`, "`", "\\(ga", `^`, `\(ha`, `~`, `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// section begins a section (SH) or a part of one (SS).
func (p *page) section(macro, title string) { fmt.Fprintf(p, ".%s \"%s\"\n", macro, escape(title)) }

// text writes one line of running text.
func (p *page) text(line string) { p.WriteString(escape(line) + "\n") }

// prose writes paragraphs, which blank lines divide. An indented one keeps its lines.
func (p *page) prose(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		lines := strings.Split(paragraph, "\n")
		if strings.HasPrefix(paragraph, " ") {
			p.code(lines)
			continue
		}
		if i > 0 {
			p.WriteString(".PP\n")
		}
		for _, line := range lines {
			p.text(strings.TrimSpace(line))
		}
	}
}

// item writes a term and what it means.
func (p *page) item(term, meaning string) {
	p.WriteString(".TP\n.B " + escape(term) + "\n")
	p.text(meaning)
}

// code writes lines as they are, without the blank ones around them.
func (p *page) code(lines []string) {
	text := strings.Trim(strings.Join(lines, "\n"), "\n")
	p.WriteString(".PP\n.nf\n")
	for line := range strings.SplitSeq(text, "\n") {
		p.text(strings.TrimRight(line, " "))
	}
	p.WriteString(".fi\n")
}

// reference names another page.
func reference(name, section string) string { return name + "(" + section + ")" }
