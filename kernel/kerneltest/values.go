package kerneltest

import (
	"math"
	"math/rand/v2"
	"slices"
)

// source gives the same values in every run.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

// fill sets x to values of either sign up to size.
func (s source) fill(x []float32, size float32) []float32 {
	for i := range x {
		x[i] = (2*s.Float32() - 1) * size
	}
	return x
}

// values returns n values of either sign up to size.
func (s source) values(n int, size float32) []float32 { return s.fill(make([]float32, n), size) }

// positive returns n values between 0 and 1.
func (s source) positive(n int) []float32 {
	x := s.values(n, 1)
	for i, v := range x {
		x[i] = max(v, -v)
	}
	return x
}

// spread returns n values of either sign whose exponents lie evenly between 2^low
// and 2^high.
func (s source) spread(n, low, high int) []float32 {
	x := s.values(n, 1)
	for i, v := range x {
		x[i] = float32(math.Ldexp(float64(v), low+s.IntN(high-low+1)))
	}
	return x
}

const (
	smallest = math.SmallestNonzeroFloat32
	largest  = math.MaxFloat32
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
	// odd is a NaN whose payload shows up in arithmetic on its bits.
	odd = math.Float32frombits(0xffc00001)

	finite    = []float32{0, float32(math.Copysign(0, -1)), smallest, -smallest, 0x1p-127, 0x1p-126, 1, -1, largest, -largest}
	allValues = append(slices.Clone(finite), inf, -inf, nan, odd)
)

// bits copies x bit by bit, so that NaNs compare too.
func bits(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}

func same(b []uint32, x []float32) bool {
	return slices.EqualFunc(b, x, func(u uint32, v float32) bool { return u == math.Float32bits(v) })
}
