package kerneltest

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// exact is a sum of products in float64.
type exact struct {
	sum  float64
	size float64 // Σ|product| over the finite products
}

func (e *exact) add(a, b float32) {
	p := float64(a) * float64(b)
	e.sum += p
	if size := math.Abs(p); !math.IsNaN(size) && !math.IsInf(size, 0) {
		e.size += size
	}
}

// check compares got with the exact sum. Where the products add up to more than
// float32 holds, the order decides about infinity and NaN, so anything goes.
func (e *exact) check(got float32, bound float64) error {
	g := float64(got)
	switch {
	case math.IsNaN(e.sum):
		if !math.IsNaN(g) {
			return fmt.Errorf("%v, want NaN", got)
		}
	case e.size > math.MaxFloat32/2:
	case math.IsInf(e.sum, 0):
		if g != e.sum {
			return fmt.Errorf("%v, want %v", got, e.sum)
		}
	// The float64 sum and bound are themselves rounded, some 2⁻²⁹ of the bound.
	case !(math.Abs(g-e.sum) <= bound*(1+0x1p-20)):
		return fmt.Errorf("%v, want %v within %.3g", got, e.sum, bound)
	}
	return nil
}

// CheckDot compares the dot product of a and b with the exact sum.
func (k Impl) CheckDot(a, b []float32) error {
	n := min(len(a), len(b))
	var want exact
	for i := range n {
		want.add(a[i], b[i])
	}
	wasA, wasB := bits(a), bits(b)
	if err := want.check(k.Dot(a, b), kernel.DotBound(a, b)); err != nil {
		return fmt.Errorf("dot of %d values: %w", n, err)
	}
	if !same(wasA, a) || !same(wasB, b) {
		return fmt.Errorf("dot of %d values wrote to its input", n)
	}
	return nil
}

// CheckGatedSum compares every column of a gated sum with the exact one. It
// leaves the result in dst.
func (k Impl) CheckGatedSum(dst, gates, regions []float32) error {
	n := 0
	if len(dst) > 0 {
		n = min(len(gates), len(regions)/len(dst))
	}
	was := append([]float32(nil), dst...)
	wasGates, wasRegions := bits(gates), bits(regions)
	k.GatedSum(dst, gates, regions)
	for j := range dst {
		var want exact
		want.add(was[j], 1)
		for i := range n {
			want.add(gates[i], regions[i*len(dst)+j])
		}
		if err := want.check(dst[j], kernel.GatedSumBound(was, gates, regions, j)); err != nil {
			return fmt.Errorf("gated sum of %d rows, column %d of %d: %w", n, j, len(dst), err)
		}
	}
	if !same(wasGates, gates) || !same(wasRegions, regions) {
		return fmt.Errorf("gated sum of %d rows of %d wrote to its input", n, len(dst))
	}
	return nil
}

// cutoff is where Softmax lets the exponential be 0 instead of subnormal.
const cutoff = -0x1.5d589ep6

// exactSoftmax is the softmax of x in float64, from float32 differences as the
// definition has it.
func exactSoftmax(x []float32) []float64 {
	m := float32(-math.MaxFloat32)
	for _, v := range x {
		m = max(m, v)
	}
	p := make([]float64, len(x))
	var sum float64
	for i, v := range x {
		if d := v - m; !(d < cutoff) {
			p[i] = math.Exp(float64(d))
		}
		sum += p[i]
	}
	for i := range p {
		if sum != 0 {
			p[i] /= sum
		}
	}
	return p
}

// CheckSoftmax compares a softmax of x with the exact one and leaves it in dst.
// dst is as long as x, and may be x.
func (k Impl) CheckSoftmax(dst, x []float32) error {
	want := exactSoftmax(x)
	was := bits(x)
	k.Softmax(dst, x)
	if err := softmaxError(dst, want); err != nil {
		return fmt.Errorf("softmax of %d values: %w", len(x), err)
	}
	if len(x) > 0 && &dst[0] != &x[0] && !same(was, x) {
		return fmt.Errorf("softmax of %d values wrote to its input", len(x))
	}
	return nil
}

func softmaxError(got []float32, want []float64) error {
	n := len(want)
	var sum, wantSum float64
	for i, p := range want {
		g := float64(got[i])
		switch {
		case math.IsNaN(p):
			if !math.IsNaN(g) {
				return fmt.Errorf("[%d] is %v, want NaN", i, g)
			}
		case p == 0:
			if g != 0 {
				return fmt.Errorf("[%d] is %v, want 0", i, g)
			}
		case !(math.Abs(g-p) <= kernel.SoftmaxBound(n, p)*(1+0x1p-20)):
			return fmt.Errorf("[%d] is %v, want %v within %.3g", i, g, p, kernel.SoftmaxBound(n, p))
		}
		sum += g
		wantSum += p
	}
	if d := math.Abs(sum - wantSum); d > kernel.SoftmaxBound(n, 1) {
		return fmt.Errorf("sum is %v, want %v", sum, wantSum)
	}
	return nil
}
