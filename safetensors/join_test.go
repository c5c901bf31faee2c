package safetensors

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// apart returns the tensors of a file as parts.
func apart(f *File) []Part {
	var parts []Part
	for _, t := range f.Tensors {
		parts = append(parts, Part{t.Name, t.DType, t.Shape, bytes.NewReader(t.Data)})
	}
	return parts
}

func TestJoinIsTheSameFile(t *testing.T) {
	for _, f := range []*File{sample(), {}, {Metadata: map[string]string{}}, {Tensors: []Tensor{NewFloat32("w", []float32{1}, 1)}}} {
		want, err := f.Bytes()
		require.NoError(t, err)
		j, err := Join(f.Metadata, apart(f))
		require.NoError(t, err)
		require.EqualValues(t, len(want), j.Size())
		got, err := io.ReadAll(io.NewSectionReader(j, 0, j.Size()))
		require.NoError(t, err)
		require.Equal(t, want, got)
		for from := range len(want) + 2 {
			for _, n := range []int{0, 1, 7, len(want)} {
				got := make([]byte, n)
				k, err := j.ReadAt(got, int64(from))
				rest := want[min(from, len(want)):]
				require.Equal(t, rest[:min(n, len(rest))], got[:k], "%d from %d", n, from)
				if k < n {
					require.ErrorIs(t, err, io.EOF)
				} else {
					require.NoError(t, err)
				}
			}
		}
		_, err = j.ReadAt(make([]byte, 1), -1)
		require.ErrorIs(t, err, fs.ErrInvalid)
	}
}

func TestJoinRefuses(t *testing.T) {
	part := func(name string, d DType, shape ...int) Part { return Part{name, d, shape, bytes.NewReader(nil)} }
	for name, parts := range map[string][]Part{
		"type":           {part("w", "F99", 1)},
		"negative shape": {part("w", U8, -1)},
		"no name":        {part("", U8, 0)},
		"reserved name":  {part(metadataKey, U8, 0)},
		"name twice":     {part("w", U8, 0), part("w", U8, 0)},
		"rank":           {part("w", U8, 1, 1, 1, 1, 1, 1, 1, 1, 1)},
		"too many":       make([]Part, MaxTensors+1),
		"overflow":       {part("w", F64, math.MaxInt, math.MaxInt)},
		"too large":      {part("w", U8, 1<<20, 1<<20), part("v", U8, 1)},
		"far too large":  {part("v", U8, 0, 1<<20, 1<<20, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Join(nil, parts)
			require.ErrorIs(t, err, ErrFormat)
		})
	}
	_, err := Join(map[string]string{"a": "\xff"}, nil)
	require.ErrorIs(t, err, ErrFormat)
}

// same is as many bytes of one value as are asked for.
type same byte

func (s same) ReadAt(p []byte, _ int64) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

// A file that is larger than any that is read as a whole, and than 4 GiB, is read here
// and there.
func TestJoinLarge(t *testing.T) {
	j, err := Join(nil, []Part{
		{"a", U8, []int{5, 1 << 30}, same(1)}, {"b", F32, []int{3, 1 << 29}, same(2)}, {"c", U8, []int{1}, same(3)},
	})
	require.NoError(t, err)
	const data = 5<<30 + 3<<31 + 1
	start := j.Size() - data
	for at, want := range map[int64][]byte{0: {2, 2}, 3<<31 - 1: {2, 1}, data - 2: {1, 3}} {
		got := make([]byte, 2)
		_, err := j.ReadAt(got, start+at)
		require.NoError(t, err)
		require.Equal(t, want, got, at)
	}
}

// Whatever fails, the file that was there stays, and nothing else.
func TestJoinedWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	j, err := Join(nil, []Part{{"w", U8, []int{1 << 20}, same(7)}})
	require.NoError(t, err)
	require.NoError(t, j.WriteFile(t.Context(), path, 0o600))
	file, err := ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte{7}, 1<<20), file.Tensor("w").Data)
	was, err := os.ReadFile(path)
	require.NoError(t, err)

	ended, stop := context.WithCancel(t.Context())
	broken := errors.New("input/output error")
	for name, c := range map[string]struct {
		ctx  context.Context
		data io.ReaderAt
		want error
	}{
		"short":  {t.Context(), bytes.NewReader([]byte{1}), io.ErrUnexpectedEOF},
		"broken": {t.Context(), failing{at: 1 << 16, err: broken}, broken},
		"ended":  {ended, failing{at: 1 << 16, stop: stop}, context.Canceled},
	} {
		j, err := Join(nil, []Part{{"w", U8, []int{1 << 20}, c.data}})
		require.NoError(t, err)
		require.ErrorIs(t, j.WriteFile(c.ctx, path, 0o600), c.want, name)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, was, now, name)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, name)
	}
}

// failing is zeros that cannot be read, or that stop the reader, from a byte on.
type failing struct {
	at   int64
	err  error
	stop func()
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at < f.at {
		return len(p), nil
	}
	if f.stop != nil {
		f.stop()
		return len(p), nil
	}
	return 0, f.err
}

// FuzzJoin holds that a file taken apart and joined is the one that Bytes gives,
// wherever it is read.
func FuzzJoin(f *testing.F) {
	data, err := sample().Bytes()
	require.NoError(f, err)
	f.Add(data, uint16(0), uint16(1000))
	f.Add(data, uint16(len(data)-3), uint16(3))
	f.Add(pack(good, "12345678"), uint16(60), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, from, n uint16) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		want, failed := file.Bytes()
		j, err := Join(file.Metadata, apart(file))
		if failed != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		require.NoError(t, err)
		require.EqualValues(t, len(want), j.Size())
		got := make([]byte, n)
		k, err := j.ReadAt(got, int64(from))
		rest := want[min(int(from), len(want)):]
		require.Equal(t, rest[:min(int(n), len(rest))], got[:k])
		require.Equal(t, k < int(n), err == io.EOF)
	})
}
