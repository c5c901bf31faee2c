package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

func TestCheckFile(t *testing.T) {
	require.Equal(t, 5, Config{Type: File, Path: "a", MaxBytes: 1 << 20}.WithDefaults().Keep)
	require.NoError(t, Config{Type: File, Path: "a", MaxBytes: 1 << 20, Keep: 1}.Check())
	for want, c := range map[string]Config{
		"max_bytes: 1 is less than 4096":                                     {MaxBytes: 1},
		"max_bytes: -1 is less than 4096":                                    {MaxBytes: -1},
		"keep: 101 is not in 1 to 100":                                       {MaxBytes: 4096, Keep: 101},
		"keep: without max_bytes no file is rotated":                         {Keep: 2},
		"max_bytes: a key of type file, which type stdout does not have":     {Type: Stdout, MaxBytes: 4096},
		"keep: a key of type file, which type prometheus does not have":      {Type: Prometheus, Path: "a.prom", Keep: 1},
		"url: a key of type mqtt, influx, which type file does not have":     {URL: "x"},
		"ca_file: a key of type mqtt, influx, which type file does not have": {CAFile: "x"},
		"password_file: a key of type mqtt, influx, which type file does":    {PasswordFile: "x"},
		"interval: a key of type prometheus, which type file does not have":  {Interval: 1},
	} {
		if c.Type == "" {
			c.Type, c.Path = File, "a"
		}
		require.ErrorContains(t, c.Check(), want)
	}
}

// read returns the sequence numbers in a file, and "" for one that is not there.
func read(t *testing.T, path string) (seqs []uint64, exists bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	require.NoError(t, err)
	return sequence(t, string(text)), true
}

// Files are rotated when they are full; the newest so many stay, and no line is lost
// but with the oldest file.
func TestFileRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	length := int64(len(answer(1).AppendJSON(nil)) + 1)
	s := New(Config{Type: File, Path: path, MaxBytes: 3 * length, Keep: 2}, mqtt.Board{}, nil, OS{})
	for seq := range uint64(9) {
		require.NoError(t, s.Write(answer(seq+1)))
	}
	for name, want := range map[string]string{"": "[7 8 9]", ".1": "[4 5 6]", ".2": "[1 2 3]"} {
		seqs, _ := read(t, path+name)
		require.Equal(t, want, fmt.Sprint(seqs), name)
	}
	require.NoError(t, s.Close())
	s = New(Config{Type: File, Path: path, MaxBytes: 3 * length, Keep: 2}, mqtt.Board{}, nil, OS{})
	require.NoError(t, s.Write(answer(8)), "it opens a full file")
	require.NoError(t, s.Write(answer(9)))
	seqs, _ := read(t, path+".2")
	require.Equal(t, "[4 5 6]", fmt.Sprint(seqs))
	_, exists := read(t, path+".3")
	require.False(t, exists)
	require.NoError(t, s.Close())
}

// Somebody else rotates: by renaming, by removing, or by copying and truncating.
func TestFileRotatedFromOutside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	s := New(Config{Type: File, Path: path, MaxBytes: 1 << 20, Keep: 1}, mqtt.Board{}, nil, OS{})
	require.NoError(t, s.Write(answer(1)))
	require.NoError(t, os.Rename(path, path+"-2026"))
	require.NoError(t, s.Write(answer(2)))
	require.NoError(t, os.Remove(path))
	require.NoError(t, s.Write(answer(3)))
	require.NoError(t, os.Truncate(path, 0))
	require.NoError(t, s.Write(answer(4)))
	seqs, _ := read(t, path+"-2026")
	require.Equal(t, []uint64{1}, seqs)
	seqs, _ = read(t, path)
	require.Equal(t, []uint64{4}, seqs)
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	require.ErrorIs(t, s.Write(answer(5)), fs.ErrNotExist, "the directory is gone")
	require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
	require.NoError(t, s.Write(answer(6)))
	require.NoError(t, s.Close())
}

// stubborn is a directory in which nothing can be renamed.
type stubborn struct {
	OS
	fail bool
}

func (s *stubborn) Rename(from, to string) error {
	if s.fail {
		return errors.New("read-only directory")
	}
	return s.OS.Rename(from, to)
}

// A file that cannot be rotated does not grow, and goes on once it can.
func TestFileCannotRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	length := int64(len(answer(1).AppendJSON(nil)) + 1)
	files := &stubborn{fail: true}
	s := New(Config{Type: File, Path: path, MaxBytes: 2 * length, Keep: 1}, mqtt.Board{}, nil, files)
	require.NoError(t, s.Write(answer(1)))
	require.NoError(t, s.Write(answer(2)))
	for seq := uint64(3); seq < 9; seq++ {
		err := s.Write(answer(seq))
		require.ErrorContains(t, err, "read-only directory")
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), 2*length)
	files.fail = false
	require.NoError(t, s.Write(answer(9)))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.Contains(string(text), `"seq":9,`))
	require.NoError(t, s.Close())
}
