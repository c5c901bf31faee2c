package kernel

import "math"

// Tanh writes the hyperbolic tangent of x[i] to dst[i], over the shorter of dst
// and x. The rest of dst is left alone.
//
// With a = |x| it is 1 − 2E/(1+E), E = e^(−2a), where a is at least 0.55, and
// below that a + a³·p(a²): there the difference would lose digits. The polynomial
// makes the largest relative error least (Remez exchange in 120 bits, then
// rounded): 0.02 ulp. The sign of x is put back last, so that −x gives exactly the
// negative.
//
// Error: every result is within TanhBound of the exact one.
//
// Infinity and NaN: ±Inf gives ±1, as does every |x| above 9.02; ±0 gives ±0. A
// NaN gives NaN in its place only.
//
// Aliasing: dst may be x itself. Any other overlap is not allowed.
func Tanh(dst, x []float32) {
	n := min(len(dst), len(x))
	dst = dst[:n]
	for i, v := range x[:n] {
		dst[i] = tanh(v)
	}
}

// TanhBound returns the largest distance of a result of Tanh from the exact result
// y: 2 ulp.
func TanhBound(y float64) float64 { return 2 * ulp(y) }

func tanh(x float32) float32 {
	const (
		c3  = -0x1.55554ap-2
		c5  = 0x1.110d26p-3
		c7  = -0x1.b9287ap-5
		c9  = 0x1.593d06p-6
		c11 = -0x1.9b3042p-8
	)
	a := math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
	var y float32
	if t := -2 * a; t > -1.1 {
		s := float32(a * a)
		p := float32(c11*s) + c9
		p = float32(p*s) + c7
		p = float32(p*s) + c5
		p = float32(p*s) + c3
		y = a + float32(a*float32(p*s))
	} else {
		e := exp(t)
		y = 1 - (e+e)/(1+e)
	}
	return math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&(1<<31))
}
