package fusion

import "github.com/ragedge/ragedge"

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
		ragedge.Relu(x, x)
	case byGELU:
		ragedge.Gelu(x, x)
	}
}
