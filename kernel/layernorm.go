package kernel

import "math"

// epsilon keeps LayerNorm finite on a row without variance.
const epsilon = 1e-5

// LayerNorm normalises every row of x to dst:
//
//	dst[j] = (x[j] − mean) / √(variance + 1e-5) · weight[j] + bias[j]
//
// A row has as many values as the shorter of weight and bias, n. The mean is taken
// first and the variance, divided by n, from the values less the mean, so that a
// large mean costs no digits of a small variance. What x or dst have beyond the
// last whole row of both is left alone.
//
// Order: both sums have one accumulator, from the first index up. Assembly may use
// more accumulators in a fixed tree, and may fuse a product with its addition.
//
// Error: every result is within LayerNormBound of the exact one, as long as the sum
// and the squares of a row do not overflow.
//
// Infinity and NaN: one in a row of x makes that row NaN, but no other. One in
// weight or bias acts in its column as IEEE 754 computes. When a sum overflows,
// the row may hold bias, infinities or NaN.
//
// Aliasing: dst may be x itself. Any other overlap is not allowed.
func LayerNorm(dst, x, weight, bias []float32) {
	n := min(len(weight), len(bias))
	if n == 0 {
		return
	}
	weight, bias = weight[:n], bias[:n]
	for ; len(x) >= n && len(dst) >= n; dst, x = dst[n:], x[n:] {
		layerNormRow(dst[:n], x[:n], weight, bias)
	}
}

func layerNormRow(dst, x, weight, bias []float32) {
	inverse := 1 / float32(len(x))
	var sum float32
	for _, v := range x {
		sum += v
	}
	mean := float32(sum * inverse)
	var squares float32
	for _, v := range x {
		c := v - mean
		squares += float32(c * c)
	}
	variance := float32(squares * inverse)
	scale := 1 / float32(math.Sqrt(float64(variance+epsilon)))
	for j, v := range x {
		dst[j] = float32(float32((v-mean)*scale)*weight[j]) + bias[j]
	}
}

// LayerNormBound sets bound[j] to the largest distance of column j of LayerNorm
// from the exact result, for one row x. All four slices have the same length n.
//
// The mean is off by δ = γ_(n+1)·Σ|x|/n: n−1 additions, the reciprocal of n and one
// product. δ² is all that this adds to the variance, whose terms are rounded n+4
// times, twice each for the difference that is squared. Adding 1e-5 costs two
// roundings more, the square root halves the sum of these, and root and
// reciprocal add two. Then come the difference from the mean, two products and the
// last addition.
func LayerNormBound(bound []float64, x, weight, bias []float32) {
	n := float64(len(x))
	var mean, size, variance float64
	for _, v := range x {
		mean += float64(v) / n
		size += math.Abs(float64(v)) / n
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / n
	}
	delta := gamma(len(x)+1)*size + subnormal
	scale := 1 / math.Sqrt(variance+epsilon)
	inScale := gamma(len(x)+6) + delta*scale*delta*scale
	inScale = min(inScale/2*(1+inScale), 1) + gamma(2)
	inProduct := (1+inScale)*(1+gamma(3)) - 1
	for j, v := range x {
		w, c := math.Abs(float64(weight[j])), math.Abs(float64(v)-mean)
		off := w * (scale*(delta+(c+delta)*inProduct) + subnormal)
		bound[j] = off + unit*(w*scale*c+off+math.Abs(float64(bias[j]))) + subnormal
	}
}
