package sensor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/ragedge/ragedge/daemon/record"
)

// maxBefore bounds the bytes of the segments that are read for what led up to those
// that were asked for, and maxTape those of a segment that must be read as a whole.
const (
	maxTape   = 256 << 20
	maxBefore = 64 << 20
)

// mostOpen is how many segments are open at a time. One that is open can be read
// although it was removed meanwhile.
const mostOpen = 64

// shelf is where segments are read from, however many a run has.
type shelf struct {
	open  Opener
	books []book // that are open, the one opened last at the end
}

type book struct {
	io.ReaderAt
	io.Closer
	name string
	size int64
}

// segment is a file on a shelf.
type segment struct {
	*shelf
	name string
}

func (s segment) ReadAt(p []byte, offset int64) (int, error) {
	b, err := s.take(s.name)
	if err != nil {
		return 0, err
	}
	return b.ReadAt(p, offset)
}

// take returns a file that is open.
func (s *shelf) take(name string) (book, error) {
	if i := slices.IndexFunc(s.books, func(b book) bool { return b.name == name }); i >= 0 {
		return s.books[i], nil
	}
	if len(s.books) == mostOpen {
		if err := s.books[0].Close(); err != nil {
			return book{}, err
		}
		s.books = slices.Delete(s.books, 0, 1)
	}
	file, err := s.open(name)
	if err != nil {
		return book{}, err
	}
	b, err := bind(name, file)
	if err != nil {
		return book{}, errors.Join(&RecordingError{File: name, Err: err}, file.Close())
	}
	s.books = append(s.books, b)
	return b, nil
}

// bind makes a book of a file, which is read as a whole if there is no other way.
func bind(name string, file io.ReadCloser) (book, error) {
	at, reads := file.(io.ReaderAt)
	if f, knows := file.(fs.File); reads && knows {
		info, err := f.Stat()
		if err != nil {
			return book{}, err
		}
		return book{at, file, name, info.Size()}, nil
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTape+1))
	if err == nil && len(text) > maxTape {
		err = fmt.Errorf("more than %d bytes", maxTape)
	}
	return book{bytes.NewReader(text), file, name, int64(len(text))}, err
}

// source returns a segment of no more than left bytes, and takes them off.
func (s *shelf) source(name string, left *int64) (record.Source, error) {
	b, err := s.take(name)
	if err != nil {
		return record.Source{}, err
	}
	if b.size > *left {
		return record.Source{}, &RecordingError{File: name, Err: fmt.Errorf("more than %d bytes", *left)}
	}
	*left -= b.size
	return record.Source{Name: name, ReaderAt: segment{s, name}, Size: b.size}, nil
}

// Close closes the files.
func (s *shelf) Close() (err error) {
	for _, b := range s.books {
		err = errors.Join(err, b.Close())
	}
	s.books = nil
	return err
}
