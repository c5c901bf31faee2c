package kerneltest

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// mapping is a kernel that computes each value of dst from the one of x.
type mapping struct {
	name  string
	run   func(dst, x []float32)
	exact func(x float32) float64
	bound func(y float64) float64
}

func (k Elementwise) maps() []mapping {
	return []mapping{
		{"tanh", k.Tanh, func(x float32) float64 { return math.Tanh(float64(x)) }, kernel.TanhBound},
		{"gelu", k.Gelu, exactGelu, kernel.GeluBound},
		{"relu", k.Relu, func(x float32) float64 { return float64(max(x, 0)) }, func(float64) float64 { return 0 }},
	}
}

// exactGelu is −0 where the definition lets the tail end.
func exactGelu(x float32) float64 {
	v := float64(x)
	if x < 0 && float32(v*v/-2) < cutoff {
		return math.Copysign(0, -1)
	}
	return v * math.Erfc(-v/math.Sqrt2) / 2
}

// error compares one result with the exact one, zeros with their sign.
func (m mapping) error(x, got float32) error {
	g, y := float64(got), m.exact(x)
	var ok bool
	switch {
	case math.IsNaN(y):
		ok = math.IsNaN(g)
	case y == 0 || math.IsInf(y, 0):
		ok = math.Float64bits(g) == math.Float64bits(y)
	case m.name == "tanh" && max(x, -x) >= 9.02:
		ok = g == math.Copysign(1, y)
	default:
		ok = math.Abs(g-y) <= m.bound(y) && math.Signbit(g) == math.Signbit(y)
	}
	if !ok {
		return fmt.Errorf("%s of %v is %v, want %v", m.name, x, got, y)
	}
	return nil
}

// check compares the results for x with the exact ones and leaves them in dst,
// which is as long as x and may be x.
func (m mapping) check(dst, x []float32) error {
	in := append([]float32(nil), x...)
	m.run(dst, x)
	for i, v := range in {
		if err := m.error(v, dst[i]); err != nil {
			return fmt.Errorf("%d values: [%d]: %w", len(in), i, err)
		}
	}
	if len(x) > 0 && &dst[0] != &x[0] && !same(bits(in), x) {
		return fmt.Errorf("%s of %d values wrote to its input", m.name, len(x))
	}
	return nil
}

// CheckMaps runs tanh, gelu and relu on x and on copies in place, and compares with
// the exact results.
func (k Elementwise) CheckMaps(x []float32) error {
	for _, m := range k.maps() {
		if err := m.check(make([]float32, len(x)), x); err != nil {
			return err
		}
		inPlace := append([]float32(nil), x...)
		if err := m.check(inPlace, inPlace); err != nil {
			return err
		}
	}
	return nil
}

// CheckLayerNorm compares every row with the exact one and leaves the result in
// dst, which may be x. All rows are whole, as many in dst as in x.
func (k Elementwise) CheckLayerNorm(dst, x, weight, bias []float32) error {
	in := append([]float32(nil), x...)
	wasWeight, wasBias := bits(weight), bits(bias)
	k.LayerNorm(dst, x, weight, bias)
	n := len(weight)
	for i := 0; n > 0 && i < len(in); i += n {
		if err := rowError(dst[i:i+n], in[i:i+n], weight, bias); err != nil {
			return fmt.Errorf("layer norm of %d values, row %d: %w", n, i/n, err)
		}
	}
	if !same(wasWeight, weight) || !same(wasBias, bias) {
		return fmt.Errorf("layer norm of %d values wrote to its weight or bias", n)
	}
	if len(x) > 0 && &dst[0] != &x[0] && !same(bits(in), x) {
		return fmt.Errorf("layer norm of %d values wrote to its input", n)
	}
	return nil
}

// rowError compares one row with the exact one. Where a sum or a result is more
// than float32 holds, anything goes.
func rowError(got, x, weight, bias []float32) error {
	var mean, size, squares float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		size += math.Abs(float64(v))
	}
	for _, v := range x {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	hidden := math.IsNaN(size) || math.IsInf(size, 0)
	if !hidden && max(size, squares) > math.MaxFloat32/2 {
		return nil
	}
	scale := 1 / math.Sqrt(squares/float64(len(x))+1e-5)
	bound := make([]float64, len(x))
	kernel.LayerNormBound(bound, x, weight, bias)
	for j, v := range x {
		g, w, b := float64(got[j]), float64(weight[j]), float64(bias[j])
		product := (float64(v) - mean) * scale * w
		var ok bool
		switch {
		case hidden || math.IsNaN(w) || math.IsNaN(b):
			ok = math.IsNaN(g)
		case math.IsInf(w, 0): // the rounded difference may be 0 or of either sign
			ok = math.IsNaN(g) || math.IsInf(g, 0)
		case math.IsInf(b, 0): // the product may be an infinity of the other sign
			ok = g == b || math.Abs(product) > math.MaxFloat32/2
		case math.Abs(product)+math.Abs(b) > math.MaxFloat32/2:
			ok = true
		default:
			ok = math.Abs(g-(product+b)) <= bound[j]*(1+0x1p-20)
		}
		if !ok {
			return fmt.Errorf("[%d] is %v, want %v within %.3g", j, got[j], product+b, bound[j])
		}
	}
	return nil
}

// CheckSoftmaxColumns compares every column with the exact softmax and leaves the
// result in x, which has no more than the rows.
func (k Elementwise) CheckSoftmaxColumns(x []float32, rows, columns int) error {
	in := append([]float32(nil), x...)
	k.SoftmaxColumns(x, rows, columns)
	column, got := make([]float32, rows), make([]float32, rows)
	for j := range columns {
		for i := range rows {
			column[i], got[i] = in[i*columns+j], x[i*columns+j]
		}
		if err := softmaxError(got, exactSoftmax(column)); err != nil {
			return fmt.Errorf("softmax of %d rows, column %d of %d: %w", rows, j, columns, err)
		}
	}
	return nil
}
