package daemon

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRowsHaveTheirTests: every test that docs/reliability.md names exists, and
// every test that carries a row stands in that row.
func TestRowsHaveTheirTests(t *testing.T) {
	doc, err := os.ReadFile("../docs/reliability.md")
	require.NoError(t, err)
	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	root := os.DirFS("..")
	require.NoError(t, fs.WalkDir(root, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		for _, m := range function.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	}))
	rows := map[string][]string{}
	for _, line := range regexp.MustCompile(`(?m)^\| (\d+(?:, \d+)*) \|.*$`).FindAllStringSubmatch(string(doc), -1) {
		named := regexp.MustCompile(`Test\w+`).FindAllString(line[0], -1)
		for number := range strings.SplitSeq(line[1], ", ") {
			rows[fmt.Sprintf("%02s", number)] = named
		}
		require.NotEmpty(t, named, "row %s", line[1])
		for _, name := range named {
			require.True(t, tests[name], "row %s: there is no %s", line[1], name)
		}
	}
	require.GreaterOrEqual(t, len(rows), 44)
	for name := range tests {
		if m := regexp.MustCompile(`^TestRow(\d+)`).FindStringSubmatch(name); m != nil && rows[m[1]] != nil {
			require.Contains(t, rows[m[1]], name, "write it into row %s", m[1])
		}
	}
}
