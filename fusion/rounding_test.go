package fusion

import (
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// num is an exact value v and a bound e on how far a float32 computation of it
// may be off. The operations follow the standard analysis of rounding errors: a
// result is rounded once, a sum of n products at most n times in any order and
// fused or not, and the error of the operands is carried along. What they say of
// the kernels is what package kernel promises.
type num struct{ v, e float64 }

const (
	unit      = 0x1p-24
	subnormal = 0x1p-149
)

func gamma(n int) float64 { return float64(n) * unit / (1 - float64(n)*unit) }

// most is the largest magnitude the computed value can have.
func (a num) most() float64 { return math.Abs(a.v) + a.e }

// rounded adds the error of n roundings of a value whose terms add up to size.
func (a num) rounded(n int, size float64) num {
	a.e += gamma(n)*size + float64(n)*subnormal
	return a
}

func exact(v float32) num { return num{v: float64(v)} }

func exacts(x []float32) []num {
	y := make([]num, len(x))
	for i, v := range x {
		y[i] = exact(v)
	}
	return y
}

func add(a, b num) num {
	s := num{a.v + b.v, a.e + b.e}
	return s.rounded(1, s.most())
}

func mul(a, b num) num {
	p := num{a.v * b.v, math.Abs(a.v)*b.e + math.Abs(b.v)*a.e + a.e*b.e}
	return p.rounded(1, p.most())
}

// sum is start + Σ a·b.
func sum(start num, a, b []num) num {
	size := start.most()
	for i := range a {
		start.v += a[i].v * b[i].v
		start.e += math.Abs(a[i].v)*b[i].e + math.Abs(b[i].v)*a[i].e + a[i].e*b[i].e
		size += a[i].most() * b[i].most()
	}
	return start.rounded(len(a)+1, size)
}

// inverse is 1/a, for a away from 0.
func inverse(a num) num {
	least := math.Abs(a.v) - a.e
	q := num{1 / a.v, a.e / (math.Abs(a.v) * least)}
	return q.rounded(1, q.most())
}

// inverseRoot is 1/√(a + 1e-5) as ragedge.LayerNorm computes it, for a ≥ 0: the
// constant, the sum, the root and the quotient are each rounded.
func inverseRoot(a num) num {
	v, least := a.v+1e-5, max(a.v-a.e, 0)+1e-5
	q := num{1 / math.Sqrt(v), a.e / (2 * least * math.Sqrt(least))}
	return q.rounded(4, q.most())
}

func positive(a num) num { return num{max(a.v, 0), a.e} }

// normal is a Φ(a), whose slope is below 1.13, as ragedge.Gelu computes it.
func normal(a num) num {
	g := num{a.v * math.Erfc(-a.v/math.Sqrt2) / 2, 1.13 * a.e}
	g.e += kernel.GeluBound(g.most())
	return g
}

// tanh is the hyperbolic tangent as ragedge.Tanh computes it.
func tanh(a num) num {
	t := num{math.Tanh(a.v), a.e}
	t.e += kernel.TanhBound(min(t.most(), 1))
	return t
}

// softmaxOf is the softmax of the allowed x; the others are exactly 0. It may be that
// of ragedge.Attention, which scales again with every block of keys.
func softmaxOf(x []num, allowed []bool) []num {
	top, least, off := math.Inf(-1), math.Inf(1), 0.0
	for i, a := range x {
		if allowed[i] {
			top, least, off = max(top, a.v), min(least, a.v), max(off, a.e)
		}
	}
	total := 0.0
	for i, a := range x {
		if allowed[i] {
			total += math.Exp(a.v - top)
		}
	}
	// Every exponent is off by at most off, and by the rounding of x − max, with blocks
	// twice; a softmax then changes by no more than twice that, as a factor.
	off += gamma(2) * (top - least + 2*off)
	rescaled := 6 * ((len(x) - 1) / kernel.KeyBlock)
	p := make([]num, len(x))
	for i, a := range x {
		if allowed[i] {
			v := math.Exp(a.v-top) / total
			p[i] = num{v, v * math.Expm1(2*off)}
			p[i].e += gamma(len(x)+11+2*rescaled)*p[i].most() + 0x1p-126
		}
	}
	return p
}

func always(n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}
