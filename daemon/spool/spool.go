// Package spool keeps rows that there may be more of than memory holds.
package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrFile is wrapped by the errors of Next.
var ErrFile = errors.New("temporary file")

// blockSize is about how many bytes wait in memory before they are written.
const blockSize = 256 << 10

// Spool is rows of columns. What does not fit into one block of rows is in a file that
// has no name any more: nothing is left of it however the program ends. Rows are added by
// one goroutine; when there are no more to come, several may read.
//
// A block has the rows of its first column one after the other, then those of the next.
type Spool struct {
	dir    string
	file   *os.File // nil before the first block is full
	widths []int    // of the columns
	starts []int    // of the columns in a block
	block  []byte   // the newest one
	most   int      // rows of a block
	rows   int      // that were added
}

// New returns a Spool of columns with so many bytes in each row, 1 at least. Its file will
// be in dir; "" is the value of TMPDIR, else a directory for temporary files that is not
// likely to be in memory itself. Close it.
func New(dir string, widths ...int) *Spool {
	s := &Spool{dir: dir, widths: widths}
	row := 0
	for _, w := range widths {
		row += w
	}
	s.most = max(1, blockSize/row)
	start := 0
	for _, w := range widths {
		s.starts = append(s.starts, start)
		start += s.most * w
	}
	s.block = make([]byte, start)
	return s
}

// Row returns where the bytes of a column go in the row that Next will add. They are zero
// at first.
func (s *Spool) Row(column int) []byte {
	w := s.widths[column]
	at := s.starts[column] + s.rows%s.most*w
	return s.block[at : at+w : at+w]
}

// Next adds the row. After an error nothing can be done but Close.
func (s *Spool) Next() error {
	if s.rows++; s.rows%s.most > 0 {
		return nil
	}
	if err := s.write(); err != nil {
		hint := ""
		if s.dir == "" {
			hint = "; TMPDIR says where it goes"
		}
		return fmt.Errorf("%w: %w%s", ErrFile, err, hint)
	}
	clear(s.block)
	return nil
}

func (s *Spool) write() (err error) {
	if s.file == nil {
		if s.file, err = create(s.dir); err != nil {
			return err
		}
	}
	_, err = s.file.Write(s.block)
	return err
}

// Rows returns how many rows were added.
func (s *Spool) Rows() int { return s.rows }

// Column returns a column to read from: the bytes of its rows one after the other.
func (s *Spool) Column(column int) io.ReaderAt { return reader{s, column} }

// Close lets go of the file.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// reader is a column.
type reader struct {
	s      *Spool
	column int
}

func (r reader) ReadAt(p []byte, offset int64) (n int, err error) {
	s, width := r.s, int64(r.s.widths[r.column])
	if offset < 0 {
		return 0, fmt.Errorf("read at %d: %w", offset, fs.ErrInvalid)
	}
	part := int64(s.most) * width // of a block
	for n < len(p) {
		at := offset + int64(n)
		left := int64(s.rows)*width - at
		if left <= 0 {
			return n, io.EOF
		}
		block, in := at/part, at%part
		to := p[n : n+int(min(int64(len(p)-n), left, part-in))]
		if block == int64(s.rows/s.most) {
			n += copy(to, s.block[int64(s.starts[r.column])+in:])
			continue
		}
		k, err := s.file.ReadAt(to, block*int64(len(s.block))+int64(s.starts[r.column])+in)
		if n += k; k < len(to) {
			return n, errors.Join(io.ErrUnexpectedEOF, err)
		}
	}
	return n, nil
}

// create makes the file.
func create(dir string) (file *os.File, err error) {
	dirs := []string{dir}
	if dir == "" {
		if dirs[0] = os.TempDir(); os.Getenv("TMPDIR") == "" {
			dirs = []string{"/var/tmp", os.TempDir()} // the latter is in memory on many machines
		}
	}
	for _, dir := range dirs {
		if file, err = os.CreateTemp(dir, ".ragedge-"); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
