package fusion

import "math"

// activation is what a linear layer does to each of its results.
type activation int

const (
	linearly activation = iota // nothing
	byReLU
	byGELU
)

func activationOf(name string) activation {
	if name == activateGELU {
		return byGELU
	}
	return byReLU
}

// apply replaces every value by its activation.
func (a activation) apply(x []float32) {
	switch a {
	case byReLU:
		relu(x)
	case byGELU:
		gelu(x)
	}
}

func relu(x []float32) {
	for i, v := range x {
		x[i] = max(v, 0)
	}
}

// gelu is x Φ(x), Φ being the distribution function of the normal distribution,
// as ½ erfc(−x/√2): the sum ½ (1 + erf) would lose the digits of a negative x.
func gelu(x []float32) {
	for i, v := range x {
		x[i] = float32(float64(v) * math.Erfc(-float64(v)*(1/math.Sqrt2)) / 2)
	}
}

// applyTanh sets dst to the hyperbolic tangent of x.
func applyTanh(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Tanh(float64(v)))
	}
}
