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
// in]; or adds those of x Wᵀ + b to them.
func (l *linear) some(y matrix, x []float32, add bool, first, end int) {
	rows, dst := len(x)/l.weight.In(), y.values[min(first, len(y.values)):]
	if add {
		ragedge.MatMulAdd(dst, x, rows, &l.weight, l.bias, y.stride, first, end)
	} else {
		ragedge.Linear(dst, x, rows, &l.weight, l.bias, l.activation, y.stride, first, end)
	}
}

// apply sets y [n, out] to act(x Wᵀ + b), x being [n, in].
func (s *State) apply(l *linear, y matrix, x []float32) { s.layer(l, y, x, false) }

// add adds x Wᵀ + b to y.
func (s *State) add(l *linear, y matrix, x []float32) { s.layer(l, y, x, true) }

func (s *State) layer(l *linear, y matrix, x []float32, add bool) {
	out := l.weight.Out()
	if s.team == nil { // small models cannot even spare the time to make a job
		l.some(y, x, add, 0, out)
		return
	}
	s.share(job{do: someOutputs, units: out, linear: l, add: add, y: y, x: matrix{values: x}}, 16, len(x)*out)
}
