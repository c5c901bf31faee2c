package train

import "math"

// The bounds of a temperature. A small validation in which everything is right would ask
// for one near 0, and get a model that is always sure.
const coldest, hottest = 0.5, 10.0

// temperature returns by what to divide the logits so that the cross-entropy of the
// answers is least (Guo et al., arXiv 1706.04599).
func temperature(a *replies, classes []int64) float64 {
	if len(a.examples) == 0 {
		return 1
	}
	loss := func(logT float64) float64 {
		t, sum := math.Exp(logT), 0.0
		for i, example := range a.examples {
			row := a.row(i)
			top, total := float64(row[largestOf(row)]), 0.0
			for _, v := range row {
				total += math.Exp((float64(v) - top) / t)
			}
			sum += math.Log(total) - (float64(row[classes[example]])-top)/t
		}
		return sum
	}
	// Golden section: the loss has one minimum in log T.
	low, high := math.Log(coldest), math.Log(hottest)
	golden := (math.Sqrt(5) - 1) / 2
	for range 40 {
		a, b := high-golden*(high-low), low+golden*(high-low)
		if loss(a) < loss(b) {
			high = b
		} else {
			low = a
		}
	}
	return math.Exp((low + high) / 2)
}

// cool divides the logits of a model by a temperature.
func (p *Parameters) cool(t float64) {
	name := "head.0"
	if p.Config.Head.Hidden > 0 {
		name = "head.1"
	}
	for _, part := range []string{".weight", ".bias"} {
		x := p.Tensor(name + part)
		for i := range x {
			x[i] = float32(float64(x[i]) / t)
		}
	}
}
