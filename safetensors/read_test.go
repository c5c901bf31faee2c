package safetensors

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, sample().WriteFile(path, 0o600))
	f, err := ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, sample().Metadata, f.Metadata)

	require.NoError(t, os.WriteFile(path, []byte("not a model"), 0o600))
	_, err = ReadFile(path)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, path)

	_, err = ReadFile(path + "x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, path+"x")
}

// TestReadFileSparse reads files that are all hole and no content.
func TestReadFileSparse(t *testing.T) {
	for _, size := range []int64{MaxSize, MaxSize + 1, 1 << 40} {
		path := filepath.Join(t.TempDir(), "sparse")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		if err := os.Truncate(path, size); err != nil {
			t.Skip(err) // a file system without files of this size
		}
		_, err := ReadFile(path)
		require.ErrorIs(t, err, ErrFormat)
	}
}

// TestReadAll reads from files that change or fail while they are read.
func TestReadAll(t *testing.T) {
	data, err := sample().Bytes()
	require.NoError(t, err)
	size := int64(len(data))

	got, err := readAll(iotest.OneByteReader(bytes.NewReader(data)), size)
	require.NoError(t, err)
	require.Equal(t, data, got)

	got, err = readAll(iotest.DataErrReader(bytes.NewReader(data)), size)
	require.NoError(t, err)
	require.Equal(t, data, got)

	for n := range data {
		_, err := readAll(bytes.NewReader(data[:n]), size)
		require.ErrorIs(t, err, ErrFormat, "cut at %d", n)
		require.ErrorContains(t, err, "shrank")

		broken := errors.New("input/output error")
		_, err = readAll(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)), size)
		require.ErrorIs(t, err, broken, "failed at %d", n)
	}
	_, err = readAll(bytes.NewReader(append(data, 0)), size)
	require.ErrorContains(t, err, "grew")
}
