package train

import (
	"fmt"
	"slices"
)

// Values of the tensor split: places in Parts.
const splitTrain, splitValidation, splitTest = 0, 1, 2

// takeMarked takes out what a column, test_groups or validation_groups says is for the test or the
// validation, and returns the others. An example that a column says nothing of is left out.
func (t *Task) takeMarked(s *Set, split *Split, usable []int) (rest []int, err error) {
	for _, name := range slices.Concat(t.TestGroups, t.ValidationGroups) {
		if s.Group == nil || !slices.ContainsFunc(s.Group, func(g int64) bool { return s.groupName(g) == name }) {
			return nil, fmt.Errorf("%w: there is no group %q in the data, which train.test_groups or train.validation_groups names", ErrTask, name)
		}
	}
	if t.Split == SplitColumn && s.Split == nil {
		return nil, fmt.Errorf("%w: train.split: column, but no column says what examples are for: set the key split of the [[sensor]] block", ErrTask)
	}
	column := s.Split != nil && (t.Split == SplitAuto || t.Split == SplitColumn)
	unmarked := 0
	for _, i := range usable {
		to := &rest
		switch {
		case len(t.TestGroups) > 0 && slices.Contains(t.TestGroups, s.groupName(s.Group[i])):
			to = &split.Test
		case len(t.ValidationGroups) > 0 && slices.Contains(t.ValidationGroups, s.groupName(s.Group[i])):
			to = &split.Validation
		case !column || s.Split[i] == splitTrain:
		case s.Split[i] == splitValidation:
			to = &split.Validation
		case s.Split[i] == splitTest:
			to = &split.Test
		default:
			unmarked++
			continue
		}
		*to = append(*to, i)
	}
	if unmarked > 0 {
		split.Notes = append(split.Notes, fmt.Sprintf("%d examples are left out because the split column is empty there", unmarked))
	}
	return rest, nil
}
