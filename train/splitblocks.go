package train

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// byBlocks takes contiguous blocks of every group for the validation, and leaves a gap
// around each out of the training, so that no window is on both sides.
func (t *Task) byBlocks(s *Set, split *Split, groups [][]int) {
	all := slices.Concat(groups...)
	judge := t.newJudge(s.Data, all)
	gap := t.Gap.Std()
	if gap == 0 {
		gap = longestWindow(s.Features)
	}
	rows := 0 // without times
	if s.Time == nil || gap == 0 {
		for _, m := range s.Modalities {
			rows = max(rows, m.Regions)
		}
		split.Gap = fmt.Sprintf("%d examples", rows)
	} else {
		split.Gap = gap.String()
	}
	stride := max(2, int(1/t.Validation+0.5))
	best := math.Inf(1)
	for _, rounds := range []int{1, 2, 3, 4, 6, 8} {
		for offset := range stride {
			var validation, train []int
			for _, g := range groups {
				v, tr := cutBlocks(s.Data, g, rounds*stride, stride, offset, gap, rows)
				validation, train = append(validation, v...), append(train, tr...)
			}
			if len(validation) == 0 || len(train) == 0 {
				continue
			}
			lost := float64(len(all)-len(validation)-len(train)) / float64(len(all))
			if cost := judge.cost(validation) + 0.5*lost; cost < best {
				best, split.Validation, split.Train = cost, validation, train
			}
		}
	}
	split.Dropped = len(all) - len(split.Validation) - len(split.Train)
	split.Optimistic = true
	if len(groups) == 1 {
		split.Notes = append(split.Notes, "all examples are of one session: training and validation share its day, people and weather, so the scores are optimistic")
	} else {
		split.Notes = append(split.Notes, fmt.Sprintf("validation is blocks of the same %d recordings that are trained on, so the scores are optimistic", len(groups)))
	}
	slices.Sort(split.Train)
	slices.Sort(split.Validation)
}

// cutBlocks cuts the examples of a group, in the order of time, into blocks, and takes of
// every stride of them one for the validation. Examples nearer to it than the gap are in
// neither.
func cutBlocks(d *Data, group []int, blocks, stride, offset int, gap time.Duration, rows int) (validation, train []int) {
	n := len(group)
	inside := func(k int) bool { return min(k*blocks/max(n, 1), blocks-1)%stride == offset }
	last := -1 // validation example before k
	near := func(a, b int) bool {
		if d.Time == nil || gap == 0 {
			return b-a < rows
		}
		return time.Duration(d.Time[group[b]]-d.Time[group[a]]) < gap
	}
	keep := make([]bool, n)
	for k := range n {
		if inside(k) {
			last = k
		}
		keep[k] = last < 0 || !near(last, k)
	}
	next := -1
	for k := n - 1; k >= 0; k-- {
		if inside(k) {
			next = k
		}
		if next >= 0 && near(k, next) {
			keep[k] = false
		}
	}
	for k, i := range group {
		switch {
		case inside(k):
			validation = append(validation, i)
		case keep[k]:
			train = append(train, i)
		}
	}
	return validation, train
}

// longestWindow is how far back the features look.
func longestWindow(features string) time.Duration {
	f, err := encoder.ParseFeatures([]byte(features))
	if features == "" || err != nil {
		return 0
	}
	longest := time.Duration(0)
	for _, d := range f.Modalities {
		w := time.Duration(d.Regions) * d.Every.Std()
		if d.Fill == encoder.FillHold {
			w += d.StaleAfter.Std()
		}
		longest = max(longest, w)
	}
	return longest
}
