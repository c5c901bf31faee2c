package daemon

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated page anew")

// reference is the page about every key, made of the table that config default and
// config schema are made of.
func reference() string {
	var b strings.Builder
	b.WriteString("# Every key of the configuration\n\n" +
		"Made from the table that `ragedge config default` and `ragedge config schema` print. [Configuration](configuration.md)\n" +
		"says how files, drop-ins and reloads work. Where a key has no default, the value is an example.\n")
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n| key | default or example | |\n|---|---|---|\n", s.header, s.about)
		for _, k := range keys() {
			name, ok := strings.CutPrefix(k.name, s.name+".")
			if !ok || strings.Contains(name, ".") {
				continue
			}
			about := k.about
			if len(k.words) > 0 {
				about += " One of: " + strings.Join(k.words, ", ") + "."
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name, k.value, strings.ReplaceAll(about, "|", `\|`))
		}
	}
	return b.String()
}

// TestReference: docs/reference.md is what the table says. Run with -args -update to
// write it.
func TestReference(t *testing.T) {
	const page = "../docs/reference.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(reference()), 0o644))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, reference(), string(text))
}
