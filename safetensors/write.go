package safetensors

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path, or creates it with the given permissions
// (before umask). Whatever fails and whenever the power goes, path holds either
// the whole old file or the whole new one; after an error the old one, unless
// the error says that only the directory could not be synchronised. Anything but
// a regular file at path is left alone.
func (f *File) WriteFile(path string, perm fs.FileMode) error {
	data, err := f.Bytes()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return replace(disk{}, path, bytes.NewReader(data), perm)
}

// fileSystem is what replacing a file asks of one.
type fileSystem interface {
	Lstat(path string) (fs.FileInfo, error)
	// Create makes a new file for writing; it fails when there is one.
	Create(path string, perm fs.FileMode) (file, error)
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

func replace(disk fileSystem, path string, data io.Reader, perm fs.FileMode) error {
	info, err := disk.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s exists and is no regular file", path)
	}
	dir := filepath.Dir(path)
	temp := filepath.Join(dir, ".safetensors-"+rand.Text())
	if err := writeNew(disk, temp, data, perm); err != nil {
		return err
	}
	if err := disk.Rename(temp, path); err != nil {
		return errors.Join(err, disk.Remove(temp))
	}
	// Without this the directory may forget the rename when the power goes.
	if err := disk.SyncDir(dir); err != nil {
		return fmt.Errorf("%s is written, but its directory could not be synchronised: %w", path, err)
	}
	return nil
}

// writeNew writes data to a new file and to the disk, or leaves no file.
func writeNew(disk fileSystem, path string, data io.Reader, perm fs.FileMode) error {
	f, err := disk.Create(path, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return errors.Join(err, disk.Remove(path))
	}
	return nil
}

// disk is the real file system.
type disk struct{}

func (disk) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

func (disk) Create(path string, perm fs.FileMode) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

func (disk) Rename(from, to string) error { return os.Rename(from, to) }

func (disk) Remove(path string) error { return os.Remove(path) }

func (disk) SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
