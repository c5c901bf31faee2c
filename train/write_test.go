package train

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fullDisk is a file system in memory whose nth call fails and, when it is a write,
// leaves half of the data.
type fullDisk struct {
	files map[string]string
	calls int
	fail  int
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) call() error {
	if d.calls++; d.calls == d.fail {
		return errFull
	}
	return nil
}

func (d *fullDisk) WriteNew(path string, data []byte) error {
	if err := d.call(); err != nil {
		d.files[path] = string(data[:len(data)/2])
		return err
	}
	d.files[path] = string(data)
	return nil
}

func (d *fullDisk) Rename(from, to string) error {
	if err := d.call(); err != nil {
		return err
	}
	d.files[to] = d.files[from]
	delete(d.files, from)
	return nil
}

func (d *fullDisk) Remove(path string) error  { delete(d.files, path); return nil }
func (d *fullDisk) SyncDir(path string) error { return d.call() }

// TestWriteFaults: a write that fails changes no file that was there, and no failure
// leaves a temporary file.
func TestWriteFaults(t *testing.T) {
	old := map[string]string{"out/m": "old model", "out/r": "old report"}
	files := []Output{{"m", []byte("new model")}, {"r", []byte("new report")}}
	for fail := 1; ; fail++ {
		d := &fullDisk{files: maps.Clone(old), fail: fail}
		err := writeAll(d, "out", files)
		for path := range d.files {
			require.False(t, strings.Contains(path, ".train-"), "call %d left %s", fail, path)
		}
		if d.calls < fail {
			require.NoError(t, err)
			require.Equal(t, map[string]string{"out/m": "new model", "out/r": "new report"}, d.files)
			require.Equal(t, 6, fail)
			return
		}
		require.ErrorIs(t, err, errFull)
		if fail <= len(files) {
			require.Equal(t, old, d.files, "call %d", fail)
			require.ErrorContains(t, err, "unchanged")
		}
	}
}

// TestCheckDirectory makes what is missing, and leaves nothing in it.
func TestCheckDirectory(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o600))
	for dir, ok := range map[string]bool{".": true, "a/b": true, "file": false, "file/a": false} {
		err := CheckDirectory(filepath.Join(root, dir))
		require.Equal(t, ok, err == nil, "%s: %v", dir, err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "a", "b"))
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestWriteAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for _, text := range []string{"1", "2"} {
		require.NoError(t, WriteAll(dir, []Output{{"x", []byte(text)}}))
		got, err := os.ReadFile(filepath.Join(dir, "x"))
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
