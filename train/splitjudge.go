package train

import (
	"math"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// judge says how good a choice of validation examples is.
type judge struct {
	part    float64
	n       int
	label   []int64       // nil: no labels
	overall map[int64]int // examples by label
}

func (t *Task) newJudge(d *Data, all []int) *judge {
	j := &judge{part: t.Validation, n: len(all), overall: map[int64]int{}}
	if t.Task == fusion.Classify {
		j.label = d.Label
		for _, i := range all {
			j.overall[d.Label[i]]++
		}
	}
	return j
}

// cost is how far the size of the validation is from what was asked for, and its labels
// from those of all. A label that only one side has costs most.
func (j *judge) cost(validation []int) float64 {
	n := float64(max(len(validation), 1))
	cost := math.Abs(n/float64(j.n)-j.part) / j.part
	have := map[int64]int{}
	if j.label != nil {
		for _, i := range validation {
			have[j.label[i]]++
		}
	}
	labels := make([]int, 0, len(j.overall))
	for label := range j.overall {
		labels = append(labels, int(label))
	}
	slices.Sort(labels) // sums in one order
	for _, k := range labels {
		label := int64(k)
		all := j.overall[label]
		cost += math.Abs(float64(have[label])/n - float64(all)/float64(j.n))
		if have[label] == 0 {
			cost++
		}
		if have[label] == all {
			cost += 10
		}
	}
	return cost
}
