package sink

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/ragedge/ragedge/result"
)

// FileSystem is what a file sink needs of the machine.
type FileSystem interface {
	// OpenAppend opens a regular file for reading and appending, and creates it
	// with mode 0640 if it is missing.
	OpenAppend(path string) (AppendFile, error)
}

// AppendFile is an open file whose writes go to its end.
type AppendFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// OS is the machine's own FileSystem.
type OS struct{}

// OpenAppend implements FileSystem.
func (OS) OpenAppend(path string) (AppendFile, error) {
	// Reading is for the end of the last line; and unlike one that only writes,
	// a file opened for both does not wait on a pipe without a reader.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// file appends one JSON object per line to a file. After a failed write it opens
// the file anew.
type file struct {
	files FileSystem
	path  string
	f     AppendFile // nil while closed
	lines lines
}

func (s *file) Write(r *result.Result) error {
	if s.f == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	err := s.lines.Write(r)
	if err != nil {
		s.Close()
	}
	return err
}

// open opens the file and looks whether it ends within a line, as a full disk or
// a power cut leaves it.
func (s *file) open() error {
	f, err := s.files.OpenAppend(s.path)
	if err != nil {
		return err
	}
	torn, err := endsInLine(f)
	if err != nil {
		f.Close()
		return err
	}
	s.f = f
	s.lines.w, s.lines.torn = f, torn
	return nil
}

func endsInLine(f AppendFile) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

func (s *file) Close() error {
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return f.Close()
}
