package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	require.NoError(t, sample().WriteFile(path, 0o640))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&^0o640)

	next := &File{Tensors: []Tensor{NewFloat32("w", []float32{1}, 1)}}
	require.NoError(t, next.WriteFile(path, 0o600))
	want, err := next.Bytes()
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, got)

	bad := &File{Tensors: []Tensor{{Name: "w"}}}
	require.ErrorIs(t, bad.WriteFile(path, 0o600), ErrFormat)
	require.Error(t, next.WriteFile(filepath.Join(dir, "none", "a"), 0o600))
	require.ErrorContains(t, next.WriteFile(dir, 0o600), "no regular file")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(path, link))
	require.ErrorContains(t, next.WriteFile(link, 0o600), "no regular file")

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "a temporary file was left behind")
}

// faulty is a file system in memory whose calls fail from the fail-th on, or
// only that one.
type faulty struct {
	files   map[string]string
	calls   int
	fail    int
	forever bool
	failed  []string
}

var errInjected = errors.New("injected")

func (f *faulty) call(name string) error {
	f.calls++
	if f.calls == f.fail || f.forever && f.calls > f.fail {
		f.failed = append(f.failed, name)
		return fmt.Errorf("%s: %w", name, errInjected)
	}
	return nil
}

func (f *faulty) Lstat(path string) (fs.FileInfo, error) {
	if err := f.call("lstat"); err != nil {
		return nil, err
	}
	if _, ok := f.files[path]; !ok {
		return nil, fs.ErrNotExist
	}
	return regular{}, nil
}

func (f *faulty) Create(path string, _ fs.FileMode) (file, error) {
	if err := f.call("create"); err != nil {
		return nil, err
	}
	f.files[path] = ""
	return &faultyFile{f, path}, nil
}

func (f *faulty) Rename(from, to string) error {
	if err := f.call("rename"); err != nil {
		return err
	}
	f.files[to] = f.files[from]
	delete(f.files, from)
	return nil
}

func (f *faulty) Remove(path string) error {
	if err := f.call("remove"); err != nil {
		return err
	}
	delete(f.files, path)
	return nil
}

func (f *faulty) SyncDir(string) error { return f.call("syncdir") }

type faultyFile struct {
	disk *faulty
	path string
}

// Write leaves half of the data behind when it fails.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.disk.call("write"); err != nil {
		f.disk.files[f.path] += string(b[:len(b)/2])
		return len(b) / 2, err
	}
	f.disk.files[f.path] += string(b)
	return len(b), nil
}

func (f *faultyFile) Sync() error  { return f.disk.call("sync") }
func (f *faultyFile) Close() error { return f.disk.call("close") }

type regular struct{ fs.FileInfo }

func (regular) Mode() fs.FileMode { return 0 }

// TestReplaceFaults fails every call once and from then on, with and without an
// old file, until a run meets no fault.
func TestReplaceFaults(t *testing.T) {
	for _, old := range []map[string]string{{}, {"dir/model": "old"}} {
		for _, forever := range []bool{false, true} {
			var met []string
			for k := 1; ; k++ {
				disk := &faulty{files: maps.Clone(old), fail: k, forever: forever}
				err := replace(disk, "dir/model", strings.NewReader("new file"), 0o600)
				if len(disk.failed) == 0 {
					require.NoError(t, err)
					require.Equal(t, map[string]string{"dir/model": "new file"}, disk.files)
					require.Equal(t, []string{"lstat", "create", "write", "sync", "close", "rename", "syncdir"}, met)
					break
				}
				require.ErrorIs(t, err, errInjected, "call %d", k)
				met = append(met, disk.failed[0])
				switch disk.failed[len(disk.failed)-1] {
				case "syncdir":
					require.Equal(t, map[string]string{"dir/model": "new file"}, disk.files)
					require.ErrorContains(t, err, "is written")
				case "remove": // nothing can clear the temporary file away
					require.True(t, forever)
					require.Len(t, disk.files, len(old)+1)
					require.Equal(t, old["dir/model"], disk.files["dir/model"])
				default:
					require.Equal(t, old, disk.files, "call %d, %s", k, disk.failed)
				}
			}
		}
	}
}
