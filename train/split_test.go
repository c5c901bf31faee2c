package train

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// diary is n examples, one every ten seconds, of a window of a minute; so many groups of
// equal length; the label changes every 25 examples.
func diary(t testing.TB, n, groups int) *Set {
	m := []fusion.Modality{{Name: "light", Regions: 6, Features: 1}, {Name: "sound", Regions: 6, Features: 1}}
	values, lengths := make([][]float32, 2), make([][]int64, 2)
	d := &Data{}
	for i := range n {
		label := int64(i / 25 % 2)
		for k := range m {
			for range 6 {
				values[k] = append(values[k], float32(label)+float32(i%7)/10)
			}
			lengths[k] = append(lengths[k], 6)
		}
		d.Label = append(d.Label, label)
		d.Group = append(d.Group, int64(i*groups/n))
		d.Time = append(d.Time, int64(i)*int64(10*time.Second))
	}
	made, err := NewData(m, values, lengths)
	require.NoError(t, err)
	made.Label, made.Group, made.Time, made.Labels = d.Label, d.Group, d.Time, []string{"empty", "full"}
	made.Features = `{"tick":"10s","modalities":{"light":{"encoder":"window","channels":["l"],"regions":6,"every":"10s","functions":["last"]}}}`
	s := &Set{Data: made, Name: "diary"}
	for g := range groups {
		s.Groups = append(s.Groups, "day "+string(rune('1'+g)))
	}
	return s
}

// disjoint fails when an example is on two sides.
func disjoint(t *testing.T, sides ...[]int) {
	seen := map[int]bool{}
	for _, side := range sides {
		for _, i := range side {
			require.False(t, seen[i], "example %d is on two sides", i)
			seen[i] = true
		}
	}
}

func TestSplitByGroups(t *testing.T) {
	task, s := DefaultTask(), diary(t, 600, 6)
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, SplitGroups, split.Method)
	require.False(t, split.Optimistic)
	require.Len(t, split.Groups, 1)
	require.Len(t, split.Validation, 100)
	require.Len(t, split.Train, 500)
	disjoint(t, split.Train, split.Validation)
	for _, i := range split.Train {
		require.NotEqual(t, s.Group[split.Validation[0]], s.Group[i])
	}
	again, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, split, again)

	task.TestGroups = []string{"day 2", "day 5"}
	split, err = task.Divide(s)
	require.NoError(t, err)
	require.Len(t, split.Test, 200)
	disjoint(t, split.Train, split.Validation, split.Test)
	task.ValidationGroups = []string{"day 1"}
	split, err = task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, numbers(0, 100), split.Validation)
	require.Len(t, split.Train, 300)
	require.False(t, split.Optimistic)
	task.ValidationGroups = nil
	task.TestGroups = []string{"day 9"}
	_, err = task.Divide(s)
	require.ErrorIs(t, err, ErrTask)
	require.ErrorContains(t, err, `"day 9"`)
}

// TestSplitByBlocks: no window of a validation example reaches one of the training, also
// when the examples are not in the order of time.
func TestSplitByBlocks(t *testing.T) {
	s, task := diary(t, 600, 1), DefaultTask()
	slices.Reverse(s.Time)
	slices.Reverse(s.Label)
	s.Time[3], s.Time[400] = s.Time[400], s.Time[3]
	for gap, want := range map[time.Duration]time.Duration{0: time.Minute, 5 * time.Minute: 5 * time.Minute} {
		task.Gap = encoder.Duration(gap)
		split, err := task.Divide(s)
		require.NoError(t, err)
		require.Equal(t, SplitBlocks, split.Method)
		require.True(t, split.Optimistic)
		require.Contains(t, split.Notes[0], "one session")
		require.Equal(t, want.String(), split.Gap)
		require.InDelta(t, 120, len(split.Validation), 40)
		require.Equal(t, 600, len(split.Train)+len(split.Validation)+split.Dropped)
		for _, v := range split.Validation {
			for _, i := range split.Train {
				require.GreaterOrEqual(t, time.Duration(max(s.Time[v]-s.Time[i], s.Time[i]-s.Time[v])), want)
			}
		}
	}
	s.Time, s.Features = nil, ""
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, "6 examples", split.Gap)
}

// TestSplitFallsBack: where no choice of groups has all labels on both sides, blocks do.
func TestSplitFallsBack(t *testing.T) {
	s, task := diary(t, 600, 6), DefaultTask()
	for i := range s.Label {
		s.Label[i] = 0
		if s.Group[i] == 2 && i%2 == 0 {
			s.Label[i] = 1
		}
	}
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, SplitBlocks, split.Method)
	require.Contains(t, split.Notes[0], "too few groups")
	task.Split = SplitGroups
	split, err = task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, SplitGroups, split.Method)
	require.Contains(t, split.Notes[0], "not in the validation")
}

func TestSplitByColumn(t *testing.T) {
	s, task := diary(t, 600, 6), DefaultTask()
	s.Split = make([]int64, 600)
	for i := range s.Split {
		s.Split[i] = int64(i/200) - 1 // none, train, validation
	}
	s.Split[599] = splitTest
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, SplitColumn, split.Method)
	require.Equal(t, numbers(200, 400), split.Train)
	require.Equal(t, numbers(400, 599), split.Validation)
	require.Equal(t, []int{599}, split.Test)
	require.Contains(t, split.Notes[0], "200 examples")
	require.True(t, split.Optimistic, "a group is in two of them")
	require.Contains(t, split.Notes[1], "1 of 4 groups")
	require.Len(t, split.Notes, 2, "no window reaches from one group into another")

	for i := range s.Split {
		s.Split[i] = int64(i / 4 % 2) // train and validation in turn
	}
	split, err = task.Divide(s)
	require.NoError(t, err)
	require.Contains(t, split.Notes[len(split.Notes)-1], "300 of 300 examples of validation and test have in their windows")
	s.Features = ""
	split, err = task.Divide(s)
	require.NoError(t, err)
	require.Len(t, split.Notes, 1, "nothing is known of windows")
}

func TestSplitRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(s *Set, task *Task)
		want   error
		words  string
	}{
		"one label":   {func(s *Set, _ *Task) { clear(s.Label) }, ErrData, "at least two"},
		"no labels":   {func(s *Set, _ *Task) { fillInt(s.Label, Unlabelled) }, ErrData, "no example has a label"},
		"few":         {func(s *Set, _ *Task) { fillInt(s.Label[9:], Unlabelled) }, ErrData, "at least 10"},
		"long gap":    {func(s *Set, task *Task) { task.Gap = encoder.Duration(time.Hour) }, ErrData, "are left"},
		"no column":   {func(_ *Set, task *Task) { task.Split = SplitColumn }, ErrTask, "split"},
		"no target":   {func(_ *Set, task *Task) { task.Task = fusion.Regress }, ErrData, "no example has a target"},
		"test of all": {func(_ *Set, task *Task) { task.TestGroups = []string{"day 1"} }, ErrData, "0 examples"},
	} {
		t.Run(name, func(t *testing.T) {
			s, task := diary(t, 300, 1), DefaultTask()
			tc.change(s, &task)
			_, err := task.Divide(s)
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.words)
		})
	}
}

// TestSplitLeavesOut what has no label, and says so.
func TestSplitLeavesOut(t *testing.T) {
	s, task := diary(t, 600, 6), DefaultTask()
	for i := range 30 {
		s.Label[i*3] = Unlabelled
	}
	s.inputs[0].lengths[1], s.inputs[1].lengths[1] = 0, 0
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, 569, len(split.Train)+len(split.Validation))
	require.Contains(t, split.Notes[0], "30 of 600 examples have no label")
}

// TestSplitLeavesOutTargets: a target that training does not take would make every score 0.
func TestSplitLeavesOutTargets(t *testing.T) {
	s, task := diary(t, 600, 6), DefaultTask()
	task.Task, s.Targets, s.Target = fusion.Regress, 1, make([]float32, s.Len())
	for i := range s.Target {
		s.Target[i] = float32(i % 7)
	}
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		s.Target[200*i] = float32(v)
	}
	split, err := task.Divide(s)
	require.NoError(t, err)
	require.Equal(t, 597, len(split.Train)+len(split.Validation))
	require.Contains(t, split.Notes[0], "3 of 600 examples have no target")
}
