package fusion

import "github.com/ragedge/ragedge"

// linear is y = act(x Wᵀ + b) with W [out, in], for every row of x.
type linear struct {
	in, out    int
	bias       []float32 // [out]; nil when there is none
	activation activation
	// One of the two: the rows of W, each to be multiplied with x, or its columns
	// [in, out], to be summed with x as their gates. The sum keeps the vector units
	// busy however short x is; the products do when y is short.
	rows, columns []float32
}

// short is the length of y below which the rows of W are kept: one vector.
const short = 8

// newLinear takes weight [out, in] over. bias may be nil.
func newLinear(weight, bias []float32, out, in int) linear {
	l := linear{in: in, out: out, bias: bias}
	if out < short {
		l.rows = weight
	} else {
		l.columns = transposed(weight, out, in)
	}
	return l
}

// apply sets y [n, out] to act(x Wᵀ + b), x being [n, in].
func (l *linear) apply(y, x []float32) {
	clear(y)
	l.add(y, x)
	l.activation.apply(y)
}

// add adds x Wᵀ + b to y, without the activation.
func (l *linear) add(y, x []float32) {
	if l.bias != nil {
		addRow(y, l.bias)
	}
	l.product(y, x)
}

// product adds x Wᵀ to y.
func (l *linear) product(y, x []float32) {
	for ; len(x) > 0; y, x = y[l.out:], x[l.in:] {
		if l.rows == nil {
			ragedge.GatedSum(y[:l.out], x[:l.in], l.columns)
			continue
		}
		for j := range l.out {
			y[j] += ragedge.Dot(l.rows[j*l.in:(j+1)*l.in], x[:l.in])
		}
	}
}
