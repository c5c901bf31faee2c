package main

import (
	"errors"
	"fmt"
	"strings"
)

// configPage returns ragedge.toml.5 from what "ragedge config default" prints:
// "# " begins text, and "#" directly before a table or a key that this text is about.
func configPage(text, day string) (string, error) {
	p := newPage("ragedge.toml", "5", day, "configuration of the ragedge daemon")
	p.section("SH", "DESCRIPTION")
	p.prose("The daemon reads /etc/ragedge/ragedge.toml, then /etc/ragedge/ragedge.d/*.toml in the order of their names. " +
		"The files are TOML; lists of tables add up.\n" +
		"Every key is listed with its default, or with an example where it has none.\n\n" +
		"After a change, \"ragedge config check\" says what is wrong with it, and \"systemctl reload ragedge\" puts it into force.")
	var about []string
	var tables, keys int
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		code, commented := strings.CutPrefix(line, "#")
		words := strings.TrimSpace(strings.Join(about, " "))
		switch {
		case !commented:
			about = nil
			continue
		case code == "" || code[0] == ' ':
			about = append(about, strings.TrimSpace(code))
			continue
		case code[0] == '[':
			p.section("SH", code)
			p.text(words)
			tables++
		default:
			p.item(code, words)
			keys++
		}
		if words == "" {
			return "", fmt.Errorf("config default: nothing is said about %s", code)
		}
		about = nil
	}
	if tables == 0 || keys == 0 {
		return "", errors.New("config default: no tables or no keys")
	}
	p.section("SH", "SEE ALSO")
	p.text(reference("ragedge", "1") + ", " + reference("ragedge-config", "1"))
	return p.String(), nil
}
