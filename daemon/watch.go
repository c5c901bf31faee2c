package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Fingerprint returns a text that is another one when the configuration file at
// path or a drop-in in directory dropIns has changed, come or gone.
func Fingerprint(path, dropIns string) string {
	more, _ := filepath.Glob(filepath.Join(dropIns, "*.toml"))
	var b strings.Builder
	for _, file := range append([]string{path}, more...) {
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", file, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
