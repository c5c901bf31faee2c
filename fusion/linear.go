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

// some sets outputs first to end of y [n, out] to those of act(x Wᵀ + b), x being [n,
// in].
func (l *linear) some(y matrix, x []float32, first, end int) {
	ragedge.Linear(y.values[first:], x, len(x)/l.weight.In(), &l.weight, l.bias, l.activation, y.stride, first, end)
}

// apply sets y [n, out] to act(x Wᵀ + b), x being [n, in].
func (s *State) apply(l *linear, y matrix, x []float32) {
	out := l.weight.Out()
	if s.team == nil { // small models cannot even spare the time to make a job
		l.some(y, x, 0, out)
		return
	}
	s.share(job{do: someOutputs, units: out, linear: l, y: y, x: matrix{values: x}}, 32, len(x)*out)
}

// add adds act(x Wᵀ + b) to y [n, out], by way of a buffer as large: products added one
// by one to a large y would each be rounded like that.
func (s *State) add(l *linear, y, x, buffer []float32) {
	buffer = buffer[:len(y)]
	s.apply(l, matrix{buffer, l.weight.Out()}, x)
	addTo(y, buffer)
}
