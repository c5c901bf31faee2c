package spool

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fill adds rows whose bytes say where they are, and returns what the columns are to be.
func fill(t *testing.T, s *Spool, rows int) (columns [][]byte) {
	columns = make([][]byte, len(s.widths))
	for i := range rows {
		for c, w := range s.widths {
			row := s.Row(c)
			if len(row) != w || row[0] != 0 || row[w-1] != 0 {
				require.Fail(t, "a row is not empty", "row %d", i)
			}
			if i%5 > 0 { // the others stay zero
				row[0], row[w/2], row[w-1] = byte(i>>8), byte(c+1), byte(i)
			}
			columns[c] = append(columns[c], row...)
		}
		if err := s.Next(); err != nil {
			require.NoError(t, err)
		}
	}
	require.Equal(t, rows, s.Rows())
	return columns
}

func TestColumns(t *testing.T) {
	for _, widths := range [][]int{{1}, {8, 3, 4}, {100, 1}, {blockSize - 1, 2}, {3 * blockSize}} {
		s := New(t.TempDir(), widths...)
		for _, rows := range []int{0, 1, s.most - 1, s.most, s.most + 1, 3*s.most + s.most/2} {
			dir := t.TempDir()
			s := New(dir, widths...)
			for c, want := range fill(t, s, rows) {
				r, size := s.Column(c), int64(rows*widths[c])
				got, err := io.ReadAll(io.NewSectionReader(r, 0, size))
				require.NoError(t, err)
				require.True(t, bytes.Equal(want, got), "%d rows of %v, column %d", rows, widths, c)
				n, err := r.ReadAt(make([]byte, 2), max(0, size-1))
				require.Equal(t, io.EOF, err)
				require.Equal(t, min(rows, 1), n)
				for _, from := range []int64{0, size / 3, max(0, size-9)} { // across rows and blocks
					got := make([]byte, min(size-from, 2*int64(s.most*widths[c])+5))
					n, err := r.ReadAt(got, from)
					require.NoError(t, err)
					require.True(t, bytes.Equal(want[from:from+int64(n)], got))
				}
			}
			_, err := s.Column(0).ReadAt(make([]byte, 1), -1)
			require.ErrorIs(t, err, fs.ErrInvalid)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, entries, "the file has a name")
			require.Equal(t, rows >= s.most, s.file != nil, "a file that is not needed")
			require.NoError(t, s.Close())
		}
	}
}

// A disk that takes nothing more is an error that says what is to be done.
func TestFull(t *testing.T) {
	s := New("", blockSize)
	fill(t, s, 1)
	require.NoError(t, s.file.Close())
	full, err := os.Open(os.DevNull) // cannot be written
	require.NoError(t, err)
	s.file = full
	require.ErrorContains(t, s.Next(), "temporary file: write ")
	require.NoError(t, s.Close())

	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	s = New("", blockSize)
	err = s.Next()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "; TMPDIR says where it goes")
	require.NoError(t, s.Close())
}
