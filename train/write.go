package train

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Output is a file to write.
type Output struct {
	Name string // in the directory
	Data []byte
}

// disk is what writing asks of a file system.
type disk interface {
	// WriteNew makes a new file that lasts, or fails; it may leave a part of it.
	WriteNew(path string, data []byte) error
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
}

// CheckDirectory makes a directory if need be, and returns why no file can be written
// there: before the work that would be lost.
func CheckDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".train-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// WriteAll writes files into a directory, which it makes if need be. All are written
// beside the old ones before the first takes the place of one: a full disk leaves
// everything as it was.
func WriteAll(dir string, files []Output) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeAll(realDisk{}, dir, files)
}

func writeAll(d disk, dir string, files []Output) error {
	var made []string
	undo := func(err error) error {
		for _, path := range made {
			if e := d.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
		return err
	}
	for _, f := range files {
		temporary := filepath.Join(dir, ".train-"+rand.Text())
		made = append(made, temporary)
		if err := d.WriteNew(temporary, f.Data); err != nil {
			return undo(fmt.Errorf("%s: %w; what was there is unchanged", filepath.Join(dir, f.Name), err))
		}
	}
	for i, f := range files {
		if err := d.Rename(made[i], filepath.Join(dir, f.Name)); err != nil {
			made = made[i:]
			return undo(err)
		}
	}
	return d.SyncDir(dir)
}

type realDisk struct{}

func (realDisk) WriteNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (realDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (realDisk) Remove(path string) error { return os.Remove(path) }

func (realDisk) SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
