package kernel

import "math"

// cutoff is the lowest float32 whose exponential is a normal number.
const cutoff = -0x1.5d589ep6

// exp returns e^t for t at most 0, within 1 ulp of the correctly rounded value,
// and 0 where that would be subnormal, which is below cutoff. exp(NaN) is NaN.
//
// t = k·ln 2 + r with k whole and |r| ≤ ln 2 / 2, so e^t = 2^k·e^r. The larger
// part of ln 2 has 15 bits, so that k times it is exact for |k| ≤ 126, and the
// smaller part adds the next 24. Adding rounder, 1.5·2²³, leaves no bits for a
// fraction: the sum is rounder plus k, and its low bits are k as an integer.
//
// e^r is 1 + r + c2·r² + … + c6·r⁶. The coefficients make the largest relative
// error on |r| ≤ ln 2 / 2 least (Remez exchange in 200 bits, then rounded):
// 0.03 ulp, so what is left is the rounding of the last steps.
func exp(t float32) float32 {
	const (
		log2e   = 0x1.715476p+0
		rounder = 0x1.8p23
		ln2Hi   = 0x1.62e4p-1
		ln2Lo   = 0x1.7f7d1cp-20

		c2 = 0x1.fffffcp-2
		c3 = 0x1.555492p-3
		c4 = 0x1.5558f2p-5
		c5 = 0x1.1239e2p-7
		c6 = 0x1.6a2434p-10
	)
	if t < cutoff {
		return 0
	}
	z := float32(t*log2e) + rounder
	k := z - rounder
	r := t - float32(k*ln2Hi)
	r -= float32(k * ln2Lo)

	p := float32(c6*r) + c5
	p = float32(p*r) + c4
	p = float32(p*r) + c3
	p = float32(p*r) + c2
	p = float32(p*r) + 1
	p = float32(p*r) + 1
	return p * math.Float32frombits(math.Float32bits(z)<<23+math.Float32bits(1))
}
