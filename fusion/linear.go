package fusion

import "github.com/ragedge/ragedge"

// linear is y = x Wᵀ + b with W [out, in].
type linear struct {
	in, out int
	bias    []float32 // [out]; nil when there is none
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
		l.columns = transpose(weight, out, in)
	}
	return l
}

// apply sets y [out] to x Wᵀ + b.
func (l *linear) apply(y, x []float32) {
	if l.bias == nil {
		clear(y)
	} else {
		copy(y, l.bias)
	}
	l.add(y, x)
}

// add adds x Wᵀ to y.
func (l *linear) add(y, x []float32) {
	if l.rows == nil {
		ragedge.GatedSum(y, x, l.columns)
		return
	}
	for j := range y {
		y[j] += ragedge.Dot(l.rows[j*l.in:(j+1)*l.in], x)
	}
}

// transpose returns the transpose of a [rows, columns].
func transpose(a []float32, rows, columns int) []float32 {
	t := make([]float32, len(a))
	for i := range rows {
		for j, v := range a[i*columns : (i+1)*columns] {
			t[j*rows+i] = v
		}
	}
	return t
}
