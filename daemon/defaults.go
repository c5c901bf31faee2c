package daemon

import (
	"io"
	"strings"
)

// WriteDefault writes every key as commented TOML, with its default, or with an
// example where a key has none. "#" stands directly before what would be TOML.
func WriteDefault(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration of ragedge: every key with its default, or with an example where\n" +
		"# it has none. Take out the # before a key to set it.\n")
	for _, t := range sections {
		b.WriteString("\n# " + t.about + "\n#" + t.header + "\n")
		for _, k := range keys() {
			name, ok := strings.CutPrefix(k.name, t.name+".")
			if !ok || strings.Contains(name, ".") {
				continue
			}
			b.WriteString("# " + k.about)
			if len(k.words) > 0 {
				b.WriteString(" One of: " + strings.Join(k.words, ", ") + ".")
			}
			b.WriteString("\n#" + name + " = " + k.value + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
