package main

import (
	"fmt"
	"path/filepath"
)

// occupancy writes the authors' two files with a name for the first field of a row, a
// number, which has none there.
func occupancy(_ *runner, directory string) ([]string, error) {
	for _, name := range []string{"datatraining", "datatest"} {
		file := "tasks/occupancy/data/" + name + ".txt.gz"
		s, err := readSheet(file)
		if err != nil {
			return nil, err
		}
		if len(s.rows[0]) != len(s.head)+1 {
			return nil, fmt.Errorf("%s: %d names and %d fields in a row", file, len(s.head), len(s.rows[0]))
		}
		s.head = append([]string{"row"}, s.head...)
		if err := s.write(filepath.Join(directory, name+".csv")); err != nil {
			return nil, err
		}
	}
	return []string{directory}, nil
}
