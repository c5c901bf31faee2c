package fusion

import "github.com/ragedge/ragedge"

// linear is y = act(x Wᵀ + b) with W [out, in], for every row of x.
type linear struct {
	weight     ragedge.Packed
	bias       []float32 // [out]; nil when there is none
	activation activation
}

// newLinear packs weight [out, in] and takes bias over, which may be nil.
func newLinear(weight, bias []float32, out, in int) linear {
	return linear{weight: ragedge.Pack(weight, out, in), bias: bias}
}

// apply sets y [n, out] to act(x Wᵀ + b), x being [n, in].
func (l *linear) apply(y, x []float32) {
	ragedge.MatMul(y, x, len(x)/l.weight.In(), &l.weight, l.bias)
	l.activation.apply(y)
}

// add adds act(x Wᵀ + b) to y, by way of a buffer as large as y.
func (l *linear) add(y, x, buffer []float32) {
	buffer = buffer[:len(y)]
	l.apply(buffer, x)
	addTo(y, buffer)
}
