package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileSystem opens the directory that recordings are kept in.
type FileSystem interface {
	// OpenDir opens a directory for this process alone, and creates it if it is
	// missing. The error wraps ErrInUse while another process has it.
	OpenDir(path string) (Dir, error)
}

// Dir is an open directory. Names have no slash.
type Dir interface {
	// List returns the regular files in the order of their names.
	List() ([]Entry, error)
	// Create creates a file that is not there yet; Open opens one for reading and
	// writing.
	Create(name string) (File, error)
	Open(name string) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	// Sync makes what was created, renamed and removed survive a power cut.
	Sync() error
	Close() error
}

// Entry is one file of a directory.
type Entry struct {
	Name  string
	Size  int64
	Mtime time.Time
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes what was written survive a power cut. After an error nothing is
	// known about what was written since the last success.
	Sync() error
	Close() error
}

// ErrInUse means that another process records into the same directory.
var ErrInUse = errors.New("another process records there")

// OS is the machine's own FileSystem.
type OS struct{}

// OpenDir implements FileSystem. The lock goes with the process.
func (OS) OpenDir(path string) (Dir, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, err
	}
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := lock(d); err != nil {
		d.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return osDir{d}, nil
}

type osDir struct{ *os.File }

func (d osDir) path(name string) string { return filepath.Join(d.Name(), name) }

func (d osDir) List() ([]Entry, error) {
	found, err := os.ReadDir(d.Name())
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, f := range found {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Entry{f.Name(), info.Size(), info.ModTime()})
	}
	return all, nil
}

// fileMode lets the daemon's group read recordings.
const fileMode = 0o640

func (d osDir) Create(name string) (File, error) {
	return openFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (d osDir) Open(name string) (File, error) { return openFile(d.path(name), os.O_RDWR) }

func openFile(path string, flags int) (File, error) {
	f, err := os.OpenFile(path, flags, fileMode)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d osDir) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d osDir) Remove(name string) error { return os.Remove(d.path(name)) }

type osFile struct{ *os.File }

// Sync fails for a file that somebody removed: what is written to it is lost.
func (f osFile) Sync() error {
	if info, err := f.Stat(); err == nil && removed(info) {
		return fmt.Errorf("%s was removed: %w", f.Name(), fs.ErrNotExist)
	}
	return f.File.Sync()
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
