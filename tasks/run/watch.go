package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// watchGroups are the pairs of people who were recorded together.
var watchGroups = []string{"1", "3", "7", "8"}

const (
	watchParts  = 5
	watchRate   = 50   // samples a second
	watchApart  = 1000 // seconds from the begin of an excerpt to that of the next; none is longer
	watchCopies = 16   // of every series that is trained on: see augment
	watchShifts = 4    // of every part that is trained on: see later
)

// watchPeople leaves one pair of people out. The last tenth of every other series is the
// validation, so it says when a model is trained, and not how it does with other people.
func watchPeople(r *runner, directory string) ([]string, error) {
	return watchOthers(r, directory, 4*time.Second)
}

// watchLong does so with windows of eight seconds.
func watchLong(r *runner, directory string) ([]string, error) {
	return watchOthers(r, directory, 8*time.Second)
}

func watchOthers(r *runner, directory string, window time.Duration) ([]string, error) {
	excerpts, err := r.readWatch(1)
	if err != nil {
		return nil, err
	}
	var folds []string
	for _, test := range watchGroups {
		w, err := newWatchFolder(filepath.Join(directory, "group-"+test), window)
		if err != nil {
			return nil, err
		}
		for k := range excerpts {
			e := &excerpts[k]
			if e.group == test {
				w.original.add(e, func(int) string { return "test" })
				continue
			}
			rest := len(e.rows) * 9 / 10
			w.original.add(e, func(i int) string {
				if i < rest {
					return "train"
				}
				return "validation"
			})
			for _, copied := range augment(e, rest, uint64(k), watchCopies) {
				w.copies.add(&copied, func(int) string { return "train" })
			}
		}
		folds = append(folds, w.directory)
		if err := w.close(); err != nil {
			return nil, err
		}
	}
	return folds, nil
}

// watchTemporal cuts every series in five, and leaves one part out. The part after it is
// the validation.
func watchTemporal(r *runner, directory string) ([]string, error) {
	excerpts, err := r.readWatch(watchParts)
	if err != nil {
		return nil, err
	}
	var folds []string
	for test := range watchParts {
		w, err := newWatchFolder(filepath.Join(directory, fmt.Sprint("part-", test)), 4*time.Second)
		if err != nil {
			return nil, err
		}
		for k := range excerpts {
			e, what := &excerpts[k], "train"
			switch e.part {
			case test:
				what = "test"
			case (test + 1) % watchParts:
				what = "validation"
			}
			use := func(int) string { return what }
			w.original.add(e, use)
			for _, later := range e.later(watchShifts) {
				if what != "test" {
					w.copies.add(&later, use)
				}
			}
		}
		folds = append(folds, w.directory)
		if err := w.close(); err != nil {
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

// later returns an excerpt without its first moments, so often that its windows and those
// of the excerpt begin at even steps of less than a second.
func (e *excerpt) later(copies int) (all []excerpt) {
	for k := range copies {
		copied := *e
		copied.rows = e.rows[(k+1)*watchRate/(copies+1):]
		all = append(all, copied)
	}
	return all
}

// watchFolder is one fold: all excerpts one after the other, and in a second file copies
// of those that are not for the test. They are written as they are added.
type watchFolder struct {
	directory        string
	number           int // of the next excerpt
	original, copies *watchSheet
}

func newWatchFolder(directory string, window time.Duration) (*watchFolder, error) {
	w, rows := &watchFolder{directory: directory}, int(window.Seconds()*watchRate)
	var first, second error
	w.original, first = newWatchSheet(filepath.Join(directory, "watch.csv"), &w.number, rows)
	w.copies, second = newWatchSheet(filepath.Join(directory, "copies.csv"), &w.number, rows)
	return w, errors.Join(first, second)
}

func (w *watchFolder) close() error { return errors.Join(w.original.close(), w.copies.close()) }

// watchSheet is excerpts as a recording.
type watchSheet struct {
	*sheetWriter
	number *int // of the next excerpt
	window int  // rows
}

func newWatchSheet(path string, number *int, window int) (*watchSheet, error) {
	w, err := createSheet(path, []string{"t", "excerpt", "use", "exercise", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"})
	return &watchSheet{w, number, window}, err
}

// add adds an excerpt. What a moment is for is said from the first full window on.
func (s *watchSheet) add(e *excerpt, use func(i int) string) {
	for i, row := range e.rows {
		what := ""
		if i >= s.window {
			what = use(i)
		}
		t := fmt.Sprintf("%.2f", float64(*s.number)*watchApart+float64(i)/watchRate)
		cells := []string{t, strconv.Itoa(*s.number), what, e.exercise}
		for _, v := range row {
			cells = append(cells, strconv.FormatFloat(v, 'f', 6, 64))
		}
		s.Write(cells)
	}
	*s.number++
}
