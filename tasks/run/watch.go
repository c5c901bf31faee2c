package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// watchGroups are the pairs of people who were recorded together.
var watchGroups = []string{"1", "3", "7", "8"}

const (
	watchParts  = 5
	watchRate   = 50 // samples a second
	watchWindow = 4 * watchRate
	watchApart  = 1000 // seconds from the begin of an excerpt to that of the next; none is longer
	watchCopies = 4    // of every excerpt that is trained on: see augment
)

// watchPeople leaves one pair of people out.
func watchPeople(r *runner, directory string) ([]string, error) {
	return r.watchFolds(directory, "group", 1, watchGroups, func(e *excerpt) string { return e.group })
}

// watchTemporal cuts every series in five, and leaves one part out.
func watchTemporal(r *runner, directory string) ([]string, error) {
	return r.watchFolds(directory, "part", watchParts, []string{"0", "1", "2", "3", "4"},
		func(e *excerpt) string { return strconv.Itoa(e.part) })
}

// watchFolds writes a fold for each of the values that is left out.
func (r *runner) watchFolds(directory, name string, parts int, values []string, of func(*excerpt) string) ([]string, error) {
	excerpts, err := r.readWatch(parts)
	if err != nil {
		return nil, err
	}
	var folds []string
	for _, test := range values {
		folder := filepath.Join(directory, name+"-"+test)
		folds = append(folds, folder)
		if err := writeWatch(folder, excerpts, func(e *excerpt) bool { return of(e) == test }); err != nil {
			return nil, err
		}
	}
	return folds, nil
}

// excerpt is a series, or a part of it.
type excerpt struct {
	group    string
	part     int
	exercise string
	rows     [][6]float64 // acceleration in g, rotation in rad/s
}

// readWatch reads all series, each cut in so many parts.
func (r *runner) readWatch(parts int) ([]excerpt, error) {
	list, err := readSheet(filepath.Join(r.data, "watch", "series.csv"))
	if err != nil {
		return nil, fmt.Errorf("%w: set -data, or make the files with tasks/watch/fetch.py", err)
	}
	files := map[string]*sheet{}
	var all []excerpt
	for _, series := range list.rows {
		name := series[list.column("file")]
		if files[name] == nil {
			if files[name], err = readSheet(filepath.Join(r.data, "watch", name)); err != nil {
				return nil, err
			}
		}
		var rows [][6]float64
		for _, cells := range files[name].rows {
			if cells[0] != series[0] {
				continue
			}
			var row [6]float64
			for k := range row {
				if row[k], err = strconv.ParseFloat(cells[4+k], 64); err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
			}
			rows = append(rows, row)
		}
		for k := range parts {
			n := len(rows)
			all = append(all, excerpt{series[list.column("group")], k, series[list.column("exercise")], rows[n*k/parts : n*(k+1)/parts]})
		}
	}
	return all, nil
}

// writeWatch writes all excerpts one after the other, and in a second file copies of those
// that are trained on. The last tenth of these is the validation, so it says when a model is
// trained, and not how it does with other people.
func writeWatch(folder string, excerpts []excerpt, test func(*excerpt) bool) error {
	number := 0
	original, copies := newWatchSheet(&number), newWatchSheet(&number)
	for k := range excerpts {
		e := &excerpts[k]
		if test(e) {
			original.add(e, func(int) string { return "test" })
			continue
		}
		rest := len(e.rows) * 9 / 10
		original.add(e, func(i int) string {
			if i < rest {
				return "train"
			}
			return "validation"
		})
		for _, copied := range augment(e, rest, uint64(k), watchCopies) {
			copies.add(&copied, func(int) string { return "train" })
		}
	}
	return errors.Join(original.write(filepath.Join(folder, "watch.csv")), copies.write(filepath.Join(folder, "copies.csv")))
}

// watchSheet is excerpts as a recording.
type watchSheet struct {
	sheet
	number *int // of the next excerpt
}

func newWatchSheet(number *int) *watchSheet {
	head := []string{"t", "excerpt", "use", "exercise", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"}
	return &watchSheet{sheet{head: head}, number}
}

// add adds an excerpt. What a moment is for is said from the first full window on.
func (s *watchSheet) add(e *excerpt, use func(i int) string) {
	for i, row := range e.rows {
		what := ""
		if i >= watchWindow {
			what = use(i)
		}
		t := fmt.Sprintf("%.2f", float64(*s.number)*watchApart+float64(i)/watchRate)
		cells := []string{t, strconv.Itoa(*s.number), what, e.exercise}
		for _, v := range row {
			cells = append(cells, strconv.FormatFloat(v, 'f', 6, 64))
		}
		s.rows = append(s.rows, cells)
	}
	*s.number++
}
