package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// fewestGroups is how many groups the split by groups needs; with fewer, one of them says
// too little.
const fewestGroups = 4

// Split says which examples are for what.
type Split struct {
	Method     string   `json:"method"` // SplitColumn, SplitGroups, SplitBlocks, or "named"
	Train      []int    `json:"-"`
	Validation []int    `json:"-"`
	Test       []int    `json:"-"` // of the same data
	Gap        string   `json:"gap,omitempty"`
	Dropped    int      `json:"dropped"`          // in the gaps
	Groups     []string `json:"groups,omitempty"` // of the validation
	// Optimistic says that the validation is from the same recordings as the training,
	// so that new ones will be answered worse.
	Optimistic bool     `json:"optimistic"`
	Notes      []string `json:"notes,omitempty"`
}

// Divide splits the examples that have what the task learns. It is the same for every
// candidate and seed.
func (t *Task) Divide(s *Set) (*Split, error) {
	usable, unknown := t.usable(s.Data)
	split := &Split{}
	if len(usable) == 0 {
		return nil, fmt.Errorf("%w: no example has a %s and something to see: set the key %[2]s of the [[sensor]] block, or label the recording", ErrData, t.goal())
	}
	if unknown > 0 {
		split.Notes = append(split.Notes, fmt.Sprintf("%d of %d examples have no %s and are left out", unknown, s.Len(), t.goal()))
	}
	rest, err := t.takeMarked(s, split, usable)
	if err != nil {
		return nil, err
	}
	if len(split.Validation) > 0 {
		split.Method, split.Train, split.Groups = SplitColumn, rest, t.ValidationGroups
		if len(t.ValidationGroups) > 0 {
			split.Method = splitNamed
		}
		return split, split.check(t, s)
	}
	groups := groupsOf(s.Data, rest)
	split.Method = t.Split
	if t.Split == SplitAuto || t.Split == SplitColumn {
		split.Method = SplitBlocks
		if len(groups) >= fewestGroups {
			split.Method = SplitGroups
		}
	}
	if split.Method == SplitGroups {
		t.byGroups(s, split, rest, groups)
	}
	if t.Split != SplitGroups && split.Method == SplitGroups && !t.covers(s.Data, split) {
		split.Method, split.Groups = SplitBlocks, nil
		split.Notes = append(split.Notes, "some label is in too few groups to be on both sides of a split by groups")
	}
	if split.Method == SplitBlocks {
		t.byBlocks(s, split, groups)
	}
	return split, split.check(t, s)
}

func (t *Task) goal() string {
	if t.Task == fusion.Regress {
		return "target"
	}
	return "label"
}

// usable returns the examples that have a label or target, and something to see, and how
// many have no label or target.
func (t *Task) usable(d *Data) (usable []int, unknown int) {
	for i := range d.Len() {
		known := i < len(d.Label) && d.Label[i] >= 0
		if t.Task == fusion.Regress {
			known = d.Targets > 0
			for k := range d.Targets {
				v := d.Target[i*d.Targets+k]
				known = known && v-v == 0 // finite, as in training
			}
		}
		if !known {
			unknown++
		} else if d.anything(i) {
			usable = append(usable, i)
		}
	}
	return usable, unknown
}

// groupsOf returns the examples of every group, in the order in which groups appear; the
// examples of a group in the order of time.
func groupsOf(d *Data, examples []int) (groups [][]int) {
	at := map[int64]int{}
	for _, i := range examples {
		g := int64(0)
		if d.Group != nil {
			g = d.Group[i]
		}
		k, known := at[g]
		if !known {
			k, at[g] = len(groups), len(groups)
			groups = append(groups, nil)
		}
		groups[k] = append(groups[k], i)
	}
	if d.Time != nil {
		for _, g := range groups {
			slices.SortStableFunc(g, func(a, b int) int { return int(min(max(d.Time[a]-d.Time[b], -1), 1)) })
		}
	}
	return groups
}

// byGroups takes whole groups for the validation: of many ways to choose them that which
// comes nearest to the part that was asked for, with labels as they are in all.
func (t *Task) byGroups(s *Set, split *Split, all []int, groups [][]int) {
	judge := t.newJudge(s.Data, all)
	random := rand.New(rand.NewPCG(864, uint64(len(groups))))
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	best := math.Inf(1)
	for range 500 {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		var validation []int
		for k, g := range order[:len(order)-1] {
			validation = append(validation, groups[g]...)
			if float64(len(validation)) < 0.7*t.Validation*float64(len(all)) {
				continue
			}
			if cost := judge.cost(validation); cost < best {
				best = cost
				split.Validation, split.Groups = slices.Clone(validation), nil
				for _, g := range order[:k+1] {
					split.Groups = append(split.Groups, s.groupName(groupNumber(s.Data, groups[g][0])))
				}
			}
			break
		}
	}
	slices.Sort(split.Groups)
	split.Train = without(all, split.Validation)
}

func groupNumber(d *Data, example int) int64 {
	if d.Group == nil {
		return 0
	}
	return d.Group[example]
}

// covers says whether training and validation have every label that either has.
func (t *Task) covers(d *Data, split *Split) bool {
	if t.Task == fusion.Regress {
		return true
	}
	sides := map[int64]int{}
	for k, examples := range [][]int{split.Train, split.Validation} {
		for _, i := range examples {
			sides[d.Label[i]] |= 1 << k
		}
	}
	for _, in := range sides {
		if in != 3 {
			return false
		}
	}
	return true
}

// without returns all that are not among the others, sorted.
func without(all, others []int) (rest []int) {
	others = slices.Sorted(slices.Values(others))
	for _, i := range all {
		if _, out := slices.BinarySearch(others, i); !out {
			rest = append(rest, i)
		}
	}
	slices.Sort(rest)
	return rest
}

func labelText(labels []string, class int) string {
	if class < len(labels) {
		return labels[class]
	}
	return fmt.Sprint(class)
}
