package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sheet is a CSV file in memory.
type sheet struct {
	head []string
	rows [][]string
}

// readSheet reads a file, .gz or not. The rows may be of another length than the head.
func readSheet(path string) (*sheet, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text := io.Reader(file)
	if strings.HasSuffix(path, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	c := csv.NewReader(text)
	c.FieldsPerRecord = -1
	all, err := c.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("%s: no rows", path)
	}
	return &sheet{all[0], all[1:]}, nil
}

// column returns the place of a column.
func (s *sheet) column(name string) int { return slices.Index(s.head, name) }

func (s *sheet) write(path string) error {
	w, err := createSheet(path, s.head)
	if err != nil {
		return err
	}
	w.WriteAll(s.rows)
	return w.close()
}

// sheetWriter writes a CSV file row by row. What fails is told by close.
type sheetWriter struct {
	*csv.Writer
	file *os.File
}

func createSheet(path string, head []string) (*sheetWriter, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := &sheetWriter{csv.NewWriter(file), file}
	w.Write(head)
	return w, nil
}

func (w *sheetWriter) close() error {
	w.Flush()
	return errors.Join(w.Error(), w.file.Close())
}
