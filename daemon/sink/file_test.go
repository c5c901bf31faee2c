package sink

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(dir, "results.jsonl")
	s := New(Config{Type: File, Path: path}, mqtt.Board{}, nil, OS{})
	require.ErrorIs(t, s.Write(answer(1)), fs.ErrNotExist)
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, s.Write(answer(2)), "the directory came")
	require.NoError(t, s.Write(answer(3)))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&^0o640, "mode is at most 0640, less the umask")

	// A power cut left half a line; the next run begins on a new one.
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-20], 0))
	s = New(Config{Type: File, Path: path}, mqtt.Board{}, nil, OS{})
	require.NoError(t, s.Write(answer(4)))
	require.NoError(t, s.Close())
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 0, 4}, sequence(t, string(text)))
}

func TestFileIsRegular(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	s := New(Config{Type: File, Path: path}, mqtt.Board{}, nil, OS{})
	require.ErrorContains(t, s.Write(answer(1)), "pipe: not a regular file")
	require.NoError(t, s.Close())
}

// disk is a FileSystem of one file, whose operations, counted from 0, can fail
// and whose space can end.
type disk struct {
	content      []byte
	space        int
	fail         func(operation int) error
	operations   int
	opened, shut int
}

func (d *disk) operate() error {
	n := d.operations
	d.operations++
	if d.fail != nil {
		return d.fail(n)
	}
	return nil
}

func (d *disk) OpenAppend(string) (AppendFile, error) {
	if err := d.operate(); err != nil {
		return nil, err
	}
	d.opened++
	return &diskFile{d}, nil
}

func (d *disk) Is(string, AppendFile) bool       { return true }
func (d *disk) Rename(string, string) error      { return d.operate() }
func (d *disk) Replace(_ string, b []byte) error { d.content = b; return d.operate() }
func (d *disk) Remove(string) error              { return d.operate() }

type diskFile struct{ *disk }

func (f *diskFile) Write(p []byte) (int, error) {
	if err := f.operate(); err != nil {
		half := len(p) / 2
		f.content = append(f.content, p[:half]...)
		return half, err
	}
	n := min(len(p), f.space-len(f.content))
	f.content = append(f.content, p[:n]...)
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *diskFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.operate(); err != nil {
		return 0, err
	}
	if n := copy(p, f.content[at:]); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}

func (f *diskFile) Stat() (fs.FileInfo, error) {
	if err := f.operate(); err != nil {
		return nil, err
	}
	return size(len(f.content)), nil
}

func (f *diskFile) Close() error {
	f.shut++
	return f.operate()
}

// size is the FileInfo of a file of that size.
type size int64

func (s size) Name() string     { return "disk" }
func (s size) Size() int64      { return int64(s) }
func (size) Mode() fs.FileMode  { return 0o640 }
func (size) ModTime() time.Time { return time.Time{} }
func (size) IsDir() bool        { return false }
func (size) Sys() any           { return nil }

// Every operation fails once: exactly the Results whose Write failed are missing,
// and each of the others has a line of its own.
func TestEveryOperationFailing(t *testing.T) {
	const writes = 6
	for n := range 12 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			d := &disk{content: []byte("{}\n"), space: 1 << 20, fail: func(operation int) error {
				if operation == n {
					return syscall.EIO
				}
				return nil
			}}
			s := New(Config{Type: File, Path: "x"}, mqtt.Board{}, nil, d)
			var want []uint64
			for seq := uint64(1); seq <= writes; seq++ {
				if err := s.Write(answer(seq)); err == nil {
					want = append(want, seq)
				} else {
					require.ErrorIs(t, err, syscall.EIO)
				}
			}
			s.Close()
			require.GreaterOrEqual(t, len(want), writes-1)
			got := slices.DeleteFunc(sequence(t, string(d.content)), func(seq uint64) bool { return seq == 0 })
			require.Equal(t, want, got)
			require.Equal(t, d.opened, d.shut)
		})
	}
}

// A full disk loses Results until there is room; the line it cut stays alone.
func TestFullDisk(t *testing.T) {
	length := len(answer(1).AppendJSON(nil)) + 1
	for extra := range length {
		d := &disk{space: 2*length + extra}
		s := New(Config{Type: File, Path: "x"}, mqtt.Board{}, nil, d)
		require.NoError(t, s.Write(answer(1)))
		require.NoError(t, s.Write(answer(2)))
		for seq := uint64(3); seq < 6; seq++ {
			require.ErrorIs(t, s.Write(answer(seq)), syscall.ENOSPC)
		}
		d.space = 1 << 20
		require.NoError(t, s.Write(answer(6)))
		require.Equal(t, 4, d.opened, "opened anew after each failure")
		require.NoError(t, s.Close())
		got := sequence(t, string(d.content))
		require.Equal(t, []uint64{1, 2}, got[:2])
		require.EqualValues(t, 6, got[len(got)-1])
		require.Less(t, len(got), 7)
		require.Equal(t, d.opened, d.shut)
	}
}
