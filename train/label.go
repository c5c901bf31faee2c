package train

import (
	"fmt"
	"slices"
)

// Classes returns the label of every example as an index into the labels of a model, by
// name; or as it is, where one of the two has no names. Examples without a label stay
// [Unlabelled].
func (d *Data) Classes(labels []string) ([]int64, error) {
	if len(d.Label) != d.Len() {
		return nil, fmt.Errorf("%w: %d labels for %d examples", ErrData, len(d.Label), d.Len())
	}
	if labels == nil || d.Labels == nil {
		return d.Label, nil
	}
	classes := make([]int64, len(d.Label))
	for i, label := range d.Label {
		if label < 0 {
			classes[i] = Unlabelled
			continue
		}
		if label >= int64(len(d.Labels)) {
			return nil, fmt.Errorf("%w: the label of example %d is %d, and there are names for %d", ErrData, i, label, len(d.Labels))
		}
		class := slices.Index(labels, d.Labels[label])
		if class < 0 {
			return nil, fmt.Errorf("%w: example %d has the label %q, and the model knows %q", ErrData, i, d.Labels[label], labels)
		}
		classes[i] = int64(class)
	}
	return classes, nil
}

// BalancedWeights returns class weights, for so many labels, under which all labels that
// the examples have count the same, however rare; a label without examples has 1.
func BalancedWeights(classes []int64, examples []int, labels int) []float64 {
	weights, n, present := make([]float64, labels), 0.0, 0.0
	for _, i := range examples {
		if class := classes[i]; class >= 0 && class < int64(labels) {
			if weights[class] == 0 {
				present++
			}
			weights[class]++
			n++
		}
	}
	for class, count := range weights {
		weights[class] = 1
		if count > 0 {
			weights[class] = n / (present * count)
		}
	}
	return weights
}
