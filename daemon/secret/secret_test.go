package secret

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	for name, path := range map[string]string{
		"owner":         write("owner", "pass word\n", 0o600),
		"owner, group":  write("group", "pass word\r\n", 0o640),
		"credential":    write("credential", "pass word", 0o400),
		"without break": write("break", "pass word", 0o440),
	} {
		text, err := Read(path)
		require.NoError(t, err, name)
		require.Equal(t, "pass word", string(text), name)
	}
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for want, path := range map[string]string{
		"mode 0644 opens it to everybody: run chmod o= on it": write("all", "x", 0o644),
		"mode 0602 opens it to everybody":                     write("writers", "x", 0o602),
		"empty: empty":                                        write("empty", "\n", 0o600),
		"longer than 16384 bytes":                             write("long", strings.Repeat("x", maxSecret+1), 0o600),
		"no such file":                                        filepath.Join(dir, "missing"),
		"not a regular file":                                  pipe,
		dir + ": not a regular file":                          dir,
	} {
		_, err := Read(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path, "it names the file")
	}
}
