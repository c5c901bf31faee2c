package sink

import (
	"errors"
	"fmt"
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
	// Is says whether a name still leads to an open file.
	Is(path string, f AppendFile) bool
	Rename(from, to string) error
	// Replace makes a regular file, of mode 0644, have this content and no other, by
	// writing it under another name in the same directory first.
	Replace(path string, content []byte) error
	Remove(path string) error
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

// Is implements FileSystem.
func (OS) Is(path string, f AppendFile) bool {
	named, err := os.Stat(path)
	if err != nil {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(named, open)
}

// Rename implements FileSystem.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FileSystem.
func (OS) Remove(path string) error { return os.Remove(path) }

// Replace implements FileSystem.
func (OS) Replace(path string, content []byte) error {
	beside := path + ".new"
	err := os.WriteFile(beside, content, 0o600)
	if err == nil {
		err = os.Chmod(beside, 0o644) // whatever the umask
	}
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
	}
	return err
}

// file appends one JSON object per line to a file. After a failed write, and when
// the name leads elsewhere because somebody else has rotated the file, it opens it
// anew.
type file struct {
	files FileSystem
	path  string
	max   int64      // bytes at which it is rotated; 0: never
	keep  int        // old files
	f     AppendFile // nil while closed
	lines lines
}

// checkFile adds what is wrong with the keys of type file.
func (c *Config) checkFile(add func(key string, err error)) {
	if c.Path == "" {
		add("path", errors.New("required: the file to append to"))
	}
	if c.MaxBytes != 0 && c.MaxBytes < minRotated {
		add("max_bytes", fmt.Errorf("%d is less than %d", c.MaxBytes, minRotated))
	}
	switch {
	case c.Keep < 0 || c.Keep > maxKeep:
		add("keep", fmt.Errorf("%d is not in 1 to %d", c.Keep, maxKeep))
	case c.Keep > 0 && c.MaxBytes == 0:
		add("keep", errors.New("without max_bytes no file is rotated"))
	}
}

// Bounds of rotation.
const (
	minRotated = 4 << 10 // bytes
	maxKeep    = 100
)

// rotate gives the file, and the old ones, their next names. One that cannot be
// renamed must not grow without end: the error costs the Result, and the next Write
// tries again.
func (s *file) rotate() error {
	if err := s.Close(); err != nil {
		return err
	}
	for n := s.keep - 1; n > 0; n-- {
		err := s.files.Rename(fmt.Sprintf("%s.%d", s.path, n), fmt.Sprintf("%s.%d", s.path, n+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.files.Rename(s.path, s.path+".1")
}

func (s *file) Write(r *result.Result) error {
	if err := s.settle(); err != nil {
		return err
	}
	err := s.lines.Write(r)
	if err != nil {
		s.Close()
	}
	return err
}

// settle makes the open file the one that the name leads to, with room in it.
func (s *file) settle() error {
	if s.f != nil && !s.files.Is(s.path, s.f) {
		s.Close() // what was to be written is written
	}
	if s.f == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	if s.max == 0 {
		return nil
	}
	info, err := s.f.Stat()
	if err != nil {
		s.Close()
		return err
	}
	if info.Size() < s.max {
		return nil
	}
	if err := s.rotate(); err != nil {
		return err
	}
	return s.open()
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
