package fusion

import "github.com/ragedge/ragedge"

// linear is y = act(x Wᵀ + b) with W [out, in], for every row of x.
type linear struct {
	weight     ragedge.Packed
	bias       []float32 // [out]; nil when there is none
	activation ragedge.Activation
}

// newLinear packs weight [out, in] and takes bias over, which may be nil.
func newLinear(weight, bias []float32, out, in int) linear {
	return linear{weight: ragedge.Pack(weight, out, in), bias: bias}
}

// activationOf returns the activation of a feed-forward layer.
func activationOf(name string) ragedge.Activation {
	if name == activateGELU {
		return ragedge.GELU
	}
	return ragedge.ReLU
}

// apply sets y [n, out] to act(x Wᵀ + b), x being [n, in].
func (l *linear) apply(y, x []float32) {
	ragedge.Linear(y, x, len(x)/l.weight.In(), &l.weight, l.bias, l.activation, 0, l.weight.Out())
}

// add adds x Wᵀ + b to y.
func (l *linear) add(y, x []float32) {
	ragedge.MatMulAdd(y, x, len(x)/l.weight.In(), &l.weight, l.bias, 0, l.weight.Out())
}
