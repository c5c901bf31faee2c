package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	roomFile  = "tasks/room/data/room.csv.gz"
	roomFold  = 10
	roomBreak = 5 * time.Minute // a longer gap begins a new stretch
)

// roomDay holds out 22 December. Of the other days every sixth stretch of ten minutes is
// the validation.
func roomDay(_ *runner, directory string) ([]string, error) {
	return roomParts(directory, []string{"day"}, func(_ int, s *sheet, row []string) string {
		clock := row[s.column("Time")]
		switch {
		case row[s.column("day_split")] == "test":
			return "test"
		case clock[3] == '4': // 00:40 to 00:49, and so on
			return "validation"
		}
		return "train"
	})
}

// roomDemo holds out the recording of ragedge demo, and leaves out ten minutes before and
// after it. The validation is as above.
func roomDemo(_ *runner, directory string) ([]string, error) {
	return roomParts(directory, []string{"demo"}, func(_ int, s *sheet, row []string) string {
		clock := row[s.column("Time")]
		if row[s.column("Date")] == "2017/12/22" && clock >= "13:21:02" && clock <= "20:00:54" {
			if clock >= "13:31:02" && clock <= "19:50:54" {
				return "test"
			}
			return ""
		}
		if clock[3] == '4' {
			return "validation"
		}
		return "train"
	})
}

// roomFolds are the ten random folds. The fold after the test is the validation; in the end
// it is trained on as well.
func roomFolds(_ *runner, directory string) ([]string, error) {
	var names []string
	for k := range roomFold {
		names = append(names, fmt.Sprint("fold-", k))
	}
	return roomParts(directory, names, func(fold int, s *sheet, row []string) string {
		switch row[s.column("fold")] {
		case strconv.Itoa(fold):
			return "test"
		case strconv.Itoa((fold + 1) % roomFold):
			return "validation"
		}
		return "train"
	})
}

// roomParts writes the recording once for every fold, with what use says of a row. The
// samples are about 30 s apart, and now exactly, so that every row is decided on once.
func roomParts(directory string, names []string, use func(fold int, s *sheet, row []string) string) ([]string, error) {
	s, err := readSheet(roomFile)
	if err != nil {
		return nil, err
	}
	times := make([]string, len(s.rows))
	stretches := make([]string, len(s.rows))
	stretch, last := 0, time.Time{}
	for i, row := range s.rows {
		at, err := time.Parse("2006/01/02 15:04:05", row[0]+" "+row[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", roomFile, err)
		}
		if i > 0 && at.Sub(last) > roomBreak {
			stretch++
		}
		last = at
		times[i], stretches[i] = strconv.Itoa(30*i), strconv.Itoa(stretch)
	}
	var folds []string
	for k, name := range names {
		out := &sheet{head: []string{"t", "stretch", "use"}}
		var keep []int
		for c, column := range s.head {
			if strings.HasPrefix(column, "S") || column == "Room_Occupancy_Count" {
				keep = append(keep, c)
				out.head = append(out.head, column)
			}
		}
		for i, row := range s.rows {
			cells := []string{times[i], stretches[i], use(k, s, row)}
			for _, c := range keep {
				cells = append(cells, row[c])
			}
			out.rows = append(out.rows, cells)
		}
		folder := filepath.Join(directory, name)
		if err := out.write(filepath.Join(folder, "room.csv")); err != nil {
			return nil, err
		}
		folds = append(folds, folder)
	}
	return folds, nil
}
