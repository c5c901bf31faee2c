package train

import (
	"fmt"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// check refuses a split that nothing can be learnt from, and notes what is odd.
func (split *Split) check(t *Task, s *Set) error {
	if n := len(split.Train); n < fewest {
		return fmt.Errorf("%w: %d examples are left to train on, at least %d are needed: record and label more", ErrData, n, fewest)
	}
	if len(split.Validation) == 0 {
		return fmt.Errorf("%w: no example is left for the validation: record more, or set train.validation or train.gap", ErrData)
	}
	if t.Task == fusion.Classify {
		if err := split.checkLabels(s); err != nil {
			return err
		}
	}
	split.noteShared(s)
	split.noteNear(s)
	return nil
}

func (split *Split) checkLabels(s *Set) error {
	count := func(examples []int) []int {
		n := make([]int, len(s.Labels))
		for _, i := range examples {
			for int(s.Label[i]) >= len(n) {
				n = append(n, 0)
			}
			n[s.Label[i]]++
		}
		return n
	}
	train, validation := count(split.Train), count(split.Validation)
	kinds := 0
	for c, n := range train {
		if n > 0 {
			kinds++
		}
		switch {
		case n == 0 && (c >= len(validation) || validation[c] == 0):
			split.Notes = append(split.Notes, fmt.Sprintf("label %q has no example to train on", labelText(s.Labels, c)))
		case n == 0:
			split.Notes = append(split.Notes, fmt.Sprintf("label %q is only in the validation, so it cannot be learnt", labelText(s.Labels, c)))
		case c >= len(validation) || validation[c] == 0:
			split.Notes = append(split.Notes, fmt.Sprintf("label %q is not in the validation, so nothing says how well it is told", labelText(s.Labels, c)))
		}
	}
	if kinds < 2 {
		return fmt.Errorf("%w: the training examples have %d label: at least two are needed, so record another situation and label it", ErrData, kinds)
	}
	return nil
}

// noteNear says how many examples of validation and test have in their windows what was
// trained on: of the same group, and less than the longest window away.
func (split *Split) noteNear(s *Set) {
	window := longestWindow(s.Features)
	if s.Time == nil || window == 0 || split.Method == SplitBlocks {
		return
	}
	train := make([]bool, s.Len())
	for _, i := range split.Train {
		train[i] = true
	}
	near := 0
	for _, group := range groupsOf(s.Data, slices.Concat(split.Train, split.Validation, split.Test)) {
		times := make([]int64, 0, len(group)) // of the training, in order
		for _, i := range group {
			if train[i] {
				times = append(times, s.Time[i])
			}
		}
		for _, i := range group {
			if at, _ := slices.BinarySearch(times, s.Time[i]); !train[i] &&
				(at < len(times) && times[at]-s.Time[i] < int64(window) || at > 0 && s.Time[i]-times[at-1] < int64(window)) {
				near++
			}
		}
	}
	if near > 0 {
		split.Optimistic = true
		split.Notes = append(split.Notes, fmt.Sprintf("%d of %d examples of validation and test have in their windows what was trained on, so the scores are optimistic", near, len(split.Validation)+len(split.Test)))
	}
}

// noteShared says when a group is on several sides.
func (split *Split) noteShared(s *Set) {
	if s.Group == nil || split.Method == SplitBlocks {
		return
	}
	side := map[int64]int{}
	for k, examples := range [][]int{split.Train, split.Validation, split.Test} {
		for _, i := range examples {
			side[s.Group[i]] |= 1 << k
		}
	}
	shared := 0
	for _, in := range side {
		if in&(in-1) != 0 {
			shared++
		}
	}
	if shared > 0 && len(side) > 1 {
		split.Optimistic = true
		split.Notes = append(split.Notes, fmt.Sprintf("%d of %d groups are in more than one of training, validation and test, so the scores are optimistic", shared, len(side)))
	}
}
