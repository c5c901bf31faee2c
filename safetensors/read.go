package safetensors

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads and parses the file at path; see ReadBytes.
func ReadFile(path string) (*File, error) {
	data, err := ReadBytes(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// ReadBytes returns the content of the file at path, for Parse. It reads regular
// files only, never follows a symbolic link at the end of path, never waits for
// a pipe to be written, and reads nothing when the length the file begins with
// does not fit its size.
func ReadBytes(path string) ([]byte, error) {
	file, err := os.OpenFile(path, openFlags, 0)
	if err != nil {
		if info, e := os.Lstat(path); e == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s is a symbolic link: name the file itself: %w", path, ErrFormat)
		}
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: %w", path, ErrFormat)
	}
	data, err := readAll(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// readAll reads a file of the given size, allocating it only after its first
// bytes made sense.
func readAll(r io.Reader, size int64) ([]byte, error) {
	start := make([]byte, min(size, lengthSize))
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, changed(err)
	}
	if _, err := headerLength(start, size, MaxSize); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	copy(data, start)
	if _, err := io.ReadFull(r, data[len(start):]); err != nil {
		return nil, changed(err)
	}
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n != 0:
		return nil, fmt.Errorf("%w: it grew while it was read", ErrFormat)
	case err != io.EOF:
		return nil, err
	}
	return data, nil
}

// changed explains an end of file before its size.
func changed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it shrank while it was read", ErrFormat)
	}
	return err
}
