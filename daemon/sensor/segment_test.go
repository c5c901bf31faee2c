package sensor

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// counted is files that are open.
type counted struct {
	fs.FS
	now, most int
}

type countedFile struct {
	fs.File
	io.ReaderAt
	of *counted
}

func (c *counted) open(name string) (io.ReadCloser, error) {
	f, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	c.now++
	c.most = max(c.most, c.now)
	return countedFile{f, f.(io.ReaderAt), c}, nil
}

func (f countedFile) Close() error {
	f.of.now--
	return f.File.Close()
}

// TestShelf: of many segments few are open at a time, and all can be read.
func TestShelf(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 3 * mostOpen {
		files[fmt.Sprint(i)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("segment %d", i))}
	}
	open := &counted{FS: files}
	s := &shelf{open: open.open}
	left := int64(1 << 20)
	var all []io.ReaderAt
	for i := range 3 * mostOpen {
		source, err := s.source(fmt.Sprint(i), &left)
		require.NoError(t, err)
		require.EqualValues(t, len(fmt.Sprint("segment ", i)), source.Size)
		all = append(all, source)
	}
	for _, i := range []int{0, 1, 2*mostOpen + 1, 3*mostOpen - 1, 5} {
		b := make([]byte, len(fmt.Sprint("segment ", i)))
		_, err := all[i].ReadAt(b, 0)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("segment ", i), string(b))
	}
	require.Equal(t, mostOpen, open.most)
	require.NoError(t, s.Close())
	require.Zero(t, open.now)

	left = 3
	_, err := s.source("0", &left)
	require.ErrorContains(t, err, "0: more than 3 bytes")
	_, err = s.source("none", &left)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, s.Close())
}

// TestShelfWithoutReaderAt: what can only be read from front to back is held in memory.
func TestShelfWithoutReaderAt(t *testing.T) {
	s := &shelf{open: files{"a": "text"}.open}
	left := int64(10)
	source, err := s.source("a", &left)
	require.NoError(t, err)
	require.EqualValues(t, 6, left)
	text, err := io.ReadAll(io.NewSectionReader(source, 1, source.Size))
	require.NoError(t, err)
	require.Equal(t, "ext", string(text))
}

// TestShelfRemoved: a segment that the daemon removes while it is played is played on.
func TestShelfRemoved(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(name, []byte("text"), 0o600))
	s := &shelf{open: OpenFile}
	left := int64(10)
	source, err := s.source(name, &left)
	require.NoError(t, err)
	require.NoError(t, os.Remove(name))
	text := make([]byte, 4)
	_, err = source.ReadAt(text, 0)
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
	require.NoError(t, s.Close())
}
