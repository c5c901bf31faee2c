package kernel

import "math"

// Gelu writes x[i]·Φ(x[i]) to dst[i], over the shorter of dst and x, where Φ is
// the distribution function of the standard normal distribution (the erf form of
// Hendrycks and Gimpel, arXiv 1606.08415). The rest of dst is left alone.
//
// With a = |x| and the upper tail Q(a) = 1 − Φ(a) it is −a·Q(a) for negative x and
// x − a·Q(a) for others, which loses no digits on either side. a·Q(a) is e^(−a²/2)
// times a function that goes from 0 to 0.4 without a bend: a·p(a)/q(a), p and q of
// degree 4 and 5 with positive coefficients, within 0.16·2⁻²⁴ relative (weighted
// least squares, then the best of the rounded neighbours).
//
// Error: every result is within GeluBound of the exact one, in the far negative
// tail too, where it may be subnormal. Only where e^(−x²/2) would be subnormal,
// that is below −13.2157, it is −0 instead of a value above −0x1p-127.
//
// Infinity and NaN: +Inf gives +Inf, −Inf gives the limit −0, and ±0 gives ±0. A
// NaN gives NaN in its place only.
//
// Aliasing: dst may be x itself. Any other overlap is not allowed.
func Gelu(dst, x []float32) {
	n := min(len(dst), len(x))
	dst = dst[:n]
	for i, v := range x[:n] {
		dst[i] = gelu(v)
	}
}

// GeluBound returns the largest distance of a result of Gelu from the exact result
// y: 7 ulp, 0 when y is 0. The exponential is the part of it that counts.
func GeluBound(y float64) float64 { return 7 * ulp(y) }

func gelu(x float32) float32 {
	const (
		p0, p1, p2 = 0.5, 0x1.bc824ep-2, 0x1.70d8a6p-3
		p3, p4     = 0x1.442a1ap-5, 0x1.0353c4p-8

		q1, q2, q3 = 0x1.aa8356p+0, 0x1.3084d2p+0, 0x1.d84280p-2
		q4, q5     = 0x1.964fd6p-4, 0x1.450372p-7
	)
	negZero := math.Float32frombits(1 << 31)
	// e^(−14²/2) is 0 already, and larger squares could overflow.
	a := min(math.Float32frombits(math.Float32bits(x)&^(1<<31)), 14)

	// t + rest is −a²/2 exactly: without rest, its rounding would cost up to 2⁶ ulp.
	half := float64(a) * float64(a) / -2
	t := float32(half)
	rest := float32(half - float64(t))
	e := exp(t)
	e += float32(e * rest)

	p := float32(p4*a) + p3
	p = float32(p*a) + p2
	p = float32(p*a) + p1
	p = float32(p*a) + p0
	q := float32(q5*a) + q4
	q = float32(q*a) + q3
	q = float32(q*a) + q2
	q = float32(q*a) + q1
	q = float32(q*a) + 1
	tail := float32(float32(p*a) / q * e)
	return max(x, negZero) - tail
}
