// Package secret reads the files that keys, passwords and certificates are in.
package secret

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	maxSecret       = 16 << 10
	maxCertificates = 1 << 20
)

// Read returns what the file at path holds, without a line break at its end. It
// refuses an empty file, and one that others than its owner and its group can
// read.
func Read(path string) ([]byte, error) {
	text, mode, err := ReadSmall(path, maxSecret)
	if err != nil {
		return nil, err
	}
	if mode.Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s: mode %04o opens it to everybody: run chmod o= on it", path, mode.Perm())
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return nil, fmt.Errorf("%s: empty", path)
	}
	return text, nil
}

// Certificates returns the certificates of a PEM file.
func Certificates(path string) (*x509.CertPool, error) {
	text, _, err := ReadSmall(path, maxCertificates)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no PEM certificate in it", path)
	}
	return pool, nil
}

// ReadSmall reads a regular file of at most limit bytes.
func ReadSmall(path string, limit int64) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path) // before opening, which would wait on a pipe
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, 0, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("longer than %d bytes", limit)}
	}
	return text, info.Mode(), err
}
