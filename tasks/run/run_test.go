package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// atRoot runs a test where the command is run.
func atRoot(t *testing.T) { t.Chdir("../..") }

// counts says how many rows of a sheet have what in a column.
func counts(t *testing.T, path, column string) map[string]int {
	s, err := readSheet(path)
	require.NoError(t, err)
	n := map[string]int{}
	for _, row := range s.rows {
		n[row[s.column(column)]]++
	}
	return n
}

func TestRoomDayHoldsOutADay(t *testing.T) {
	atRoot(t)
	folds, err := roomDay(nil, t.TempDir())
	require.NoError(t, err)
	require.Len(t, folds, 1)
	file := filepath.Join(folds[0], "room.csv")
	uses := counts(t, file, "use")
	require.Equal(t, 1462, uses["test"])
	require.Equal(t, 6622, uses["train"]+uses["validation"])
	require.Len(t, counts(t, file, "stretch"), 3) // two gaps: 25 minutes, and a day
}

func TestRoomFoldsTestEveryRowOnce(t *testing.T) {
	atRoot(t)
	folds, err := roomFolds(nil, t.TempDir())
	require.NoError(t, err)
	require.Len(t, folds, 10)
	tested := 0
	for _, fold := range folds {
		uses := counts(t, filepath.Join(fold, "room.csv"), "use")
		tested += uses["test"]
		require.Equal(t, 8084, uses["test"]+uses["train"]+uses["validation"])
		require.Greater(t, uses["validation"], 100)
	}
	require.Equal(t, 8084, tested)
}

func TestOccupancyNamesTheFirstField(t *testing.T) {
	atRoot(t)
	folds, err := occupancy(nil, t.TempDir())
	require.NoError(t, err)
	train := counts(t, filepath.Join(folds[0], "datatraining.csv"), "Occupancy")
	require.Equal(t, map[string]int{"0": 6414, "1": 1729}, train)
	test := counts(t, filepath.Join(folds[0], "datatest.csv"), "Occupancy")
	require.Equal(t, map[string]int{"0": 1693, "1": 972}, test)
}

// watchData writes a series of 500 rows for each pair of people.
func watchData(t *testing.T) *runner {
	data := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(data, "watch"), 0o755))
	list := &sheet{head: []string{"series", "file", "group", "exercise"}}
	series := &sheet{head: []string{"series", "exercise", "side", "t", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"}}
	for k, group := range watchGroups {
		number := string(rune('0' + k))
		list.rows = append(list.rows, []string{number, "a.csv", group, "ROW"})
		for i := range 1500 {
			series.rows = append(series.rows, []string{number, "ROW", "R", "0", strconv.Itoa(i), "0", "0", "0", "0", "0"})
		}
	}
	require.NoError(t, list.write(filepath.Join(data, "watch", "series.csv")))
	require.NoError(t, series.write(filepath.Join(data, "watch", "a.csv")))
	return &runner{data: data}
}

func TestWatchLeavesOutAPairOfPeople(t *testing.T) {
	folds, err := watchPeople(watchData(t), t.TempDir())
	require.NoError(t, err)
	require.Len(t, folds, 4)
	// The first four seconds of each are for nothing: their windows are not full.
	require.Equal(t, map[string]int{"": 4 * 200, "test": 1300, "train": 3 * 1150, "validation": 3 * 150},
		counts(t, filepath.Join(folds[0], "watch.csv"), "use"))
	copies := counts(t, filepath.Join(folds[0], "copies.csv"), "use")
	require.NotContains(t, copies, "test")
	require.Len(t, counts(t, filepath.Join(folds[0], "copies.csv"), "excerpt"), 3*watchCopies)
}

// TestWatchTemporalKeepsPartsApart: of a series of 1,500 rows, rows 300 to 599 are for the
// test of the second fold, the 300 after them for its validation, and no copy has any of the test.
func TestWatchTemporalKeepsPartsApart(t *testing.T) {
	folds, err := watchTemporal(watchData(t), t.TempDir())
	require.NoError(t, err)
	require.Len(t, folds, 5)
	file := filepath.Join(folds[1], "watch.csv")
	require.Equal(t, map[string]int{"": 4 * 5 * 200, "test": 4 * 100, "validation": 4 * 100, "train": 4 * 3 * 100}, counts(t, file, "use"))
	for _, name := range []string{file, filepath.Join(folds[1], "copies.csv")} {
		s, err := readSheet(name)
		require.NoError(t, err)
		for _, row := range s.rows {
			if use := row[s.column("use")]; use != "" {
				i, err := strconv.ParseFloat(row[s.column("acc_x")], 64)
				require.NoError(t, err)
				part := []string{"train", "test", "validation", "train", "train"}[int(i)/300]
				require.Equal(t, part, use, "row %v", i)
			}
		}
	}
	copies := counts(t, filepath.Join(folds[1], "copies.csv"), "use")
	require.NotContains(t, copies, "test")
	require.Len(t, counts(t, filepath.Join(folds[1], "copies.csv"), "excerpt"), 4*4*watchShifts)
}

func TestLaterBeginsLater(t *testing.T) {
	e := &excerpt{rows: make([][6]float64, 300)}
	var lengths []int
	for _, later := range e.later(4) {
		lengths = append(lengths, len(later.rows))
	}
	require.Equal(t, []int{290, 280, 270, 260}, lengths)
}

func TestAugmentTurnsAndWarps(t *testing.T) {
	e := &excerpt{exercise: "ROW"}
	for i := range 300 {
		e.rows = append(e.rows, [6]float64{1, 0, 0, float64(i), 0, 0})
	}
	all := augment(e, 300, 1, 4)
	require.Len(t, all, 4)
	lengths := map[int]bool{}
	for k, copied := range all {
		lengths[len(copied.rows)] = true
		for _, row := range copied.rows {
			require.InDelta(t, 1, math.Hypot(math.Hypot(row[0], row[1]), row[2]), 1e-12)
			if k%2 == 0 {
				row = mirrored(row)
			}
			require.Greater(t, row[0], 0.5)
		}
	}
	require.Len(t, lengths, 4)
}

// TestAugmentHastens: a movement that is faster takes less time and more strength.
func TestAugmentHastens(t *testing.T) {
	e := &excerpt{}
	for i := range 1000 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / watchRate) // once a second
		e.rows = append(e.rows, [6]float64{1 + 0.1*sin, 0, 0, 0, cos, 0})
	}
	for _, copied := range augment(e, 1000, 7, 4) {
		speed := 999 / float64(len(copied.rows))
		var most, least float64 = 0, 2
		for _, row := range copied.rows[2*watchRate : len(copied.rows)-2*watchRate] {
			g := math.Hypot(math.Hypot(row[0], row[1]), row[2])
			most, least = max(most, g), min(least, g)
		}
		require.InDelta(t, 0.2*speed*speed, most-least, 0.01)
		require.InDelta(t, 1, (most+least)/2, 0.01)
	}
}

// TestMirrored: what a mirror shows is a possible movement too. Gravity turns against the
// watch, by the product of rotation and acceleration across each other, in both.
func TestMirrored(t *testing.T) {
	row := [6]float64{0.3, -0.5, 0.8, 1.1, -2.3, 0.7}
	across := func(r [6]float64) [6]float64 {
		return [6]float64{r[4]*r[2] - r[5]*r[1], r[5]*r[0] - r[3]*r[2], r[3]*r[1] - r[4]*r[0]}
	}
	first3 := func(r [6]float64) []float64 { return r[:3] }
	image := across(row)
	require.InDeltaSlice(t, []float64{-image[0], image[1], image[2]}, first3(across(mirrored(row))), 1e-12)
	require.Equal(t, row, mirrored(mirrored(row)))
	require.NotEqual(t, row, mirrored(row))
}

func TestMacroF1(t *testing.T) {
	require.InDelta(t, 1, macroF1([][]int{{3, 0}, {0, 5}}), 1e-12)
	// precision and recall: 2/3 and 1/2, 1/2 and 2/3
	require.InDelta(t, 4.0/7, macroF1([][]int{{2, 2}, {1, 2}}), 1e-12)
}
