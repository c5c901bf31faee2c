package main

import (
	"fmt"
	"strings"
)

// asker runs the binary and returns what it prints.
type asker func(args ...string) (string, error)

// help is what a command says about itself with --help.
type help struct {
	path     string // "ragedge sensors scan"
	short    string // the line that the command above has about it
	long     string
	sections map[string][]string // lines below "Usage:", "Examples:" and so on
}

// verb is a command in the list of the one above it.
type verb struct{ name, short string }

// verbs are the commands below h, without help, which explains the others.
func (h help) verbs() (all []verb) {
	for _, line := range h.sections["Available Commands"] {
		name, short, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && name != "help" {
			all = append(all, verb{name, strings.TrimSpace(short)})
		}
	}
	return all
}

// parse reads the help of a command. Its form is cobra's: the description, then
// sections that begin with a line such as "Flags:".
func parse(path, short, text string) (help, error) {
	h := help{path: path, short: short, sections: map[string][]string{}}
	long, rest, ok := strings.Cut(text, "\nUsage:\n")
	if !ok {
		return h, fmt.Errorf("the help of %s has no usage", path)
	}
	h.long = strings.TrimSpace(long)
	section := "Usage"
	for line := range strings.Lines(rest) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutSuffix(line, ":"); ok && name != "" && name[0] != ' ' {
			section = name
		} else if line == "" || line[0] == ' ' {
			h.sections[section] = append(h.sections[section], line)
		}
	}
	return h, nil
}

// inquire returns the help of a command.
func inquire(ask asker, path, short string) (help, error) {
	text, err := ask(append(strings.Fields(path)[1:], "--help")...)
	if err != nil {
		return help{}, err
	}
	return parse(path, short, text)
}

// commandPages returns ragedge.1 and a page for each verb, by file name.
func commandPages(ask asker, day string) (map[string]string, error) {
	root, err := inquire(ask, "ragedge", "sensor fusion that says why")
	if err != nil {
		return nil, err
	}
	pages := map[string]string{}
	p := newPage("ragedge", "1", day, root.short)
	p.describe(root, "SH")
	p.section("SH", "COMMANDS")
	for _, v := range root.verbs() {
		p.item(reference("ragedge-"+v.name, "1"), v.short)
	}
	p.section("SH", "FILES")
	p.item("/etc/ragedge/ragedge.toml", "The configuration of the service, see "+reference("ragedge.toml", "5")+".")
	p.item("/var/lib/ragedge", "Recordings, and models in models/.")
	p.item("/run/ragedge/api.sock", "The API. Members of the group ragedge may use it.")
	pages["ragedge.1"] = p.String()

	for _, v := range root.verbs() {
		h, err := inquire(ask, "ragedge "+v.name, v.short)
		if err != nil {
			return nil, err
		}
		p := newPage("ragedge-"+v.name, "1", day, v.short)
		p.describe(h, "SH")
		for _, below := range h.verbs() {
			sub, err := inquire(ask, h.path+" "+below.name, below.short)
			if err != nil {
				return nil, err
			}
			p.section("SH", strings.ToUpper(sub.path))
			p.describe(sub, "SS")
		}
		p.section("SH", "SEE ALSO")
		p.text(reference("ragedge", "1") + ", " + reference("ragedge.toml", "5"))
		pages["ragedge-"+v.name+".1"] = p.String()
	}
	return pages, nil
}

// describe writes what a command says of itself, each part under a heading.
func (p *page) describe(h help, heading string) {
	if usage := h.sections["Usage"]; len(usage) > 0 {
		p.section(heading, title(heading, "Synopsis"))
		p.code(usage)
	}
	p.section(heading, title(heading, "Description"))
	p.prose(h.long)
	for _, s := range []struct{ from, to string }{
		{"Flags", "Options"}, {"Global Flags", "Options of every command"}, {"Examples", "Examples"},
	} {
		if lines := h.sections[s.from]; len(lines) > 0 {
			p.section(heading, title(heading, s.to))
			p.code(lines)
		}
	}
}

// title is how a heading is written: sections in capitals.
func title(heading, words string) string {
	if heading == "SH" {
		return strings.ToUpper(words)
	}
	return words
}
