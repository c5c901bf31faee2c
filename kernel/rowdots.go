package kernel

import "math"

// RowDotsFits reports whether RowDots does anything with these arguments.
func RowDotsFits(dst, a, b []float32, rows, cols, depth, strideA, strideB int) bool {
	return Fits(dst, rows, cols, cols) && Fits(a, rows, strideA, depth) && Fits(b, cols, strideB, depth)
}

// RowDots sets dst [rows, cols] to the dot products of rows of a with rows of b,
// times scale: dst[i·cols+j] = scale·Σ_t a[i·strideA+t]·b[j·strideB+t] for t below
// depth. It does nothing when a slice is too short for that, or a number is
// negative; what is beyond it is left alone.
//
// Order: for each result one accumulator, from the first t up, and the sum is
// rounded before it is scaled. Assembly may use more accumulators in a fixed tree,
// and may fuse a product with its addition.
//
// Error: every implementation is within RowDotsBound of the exact result.
//
// Infinity and NaN: as IEEE 754 adds them, in each result for itself. Overflow on
// the way depends on the order, as in Dot. The sign of a zero is not defined.
//
// Aliasing: a and b are only read and may overlap; dst must not overlap them.
func RowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	if !RowDotsFits(dst, a, b, rows, cols, depth, strideA, strideB) {
		return
	}
	if depth == 0 {
		a, b, strideA, strideB = nil, nil, 0, 0
	}
	for i := range rows {
		for j := range cols {
			dst[i*cols+j] = scale * Dot(a[i*strideA:][:depth], b[j*strideB:][:depth])
		}
	}
}

// RowDotsBound returns the largest distance of a result of RowDots for one row of
// a and one of b from the exact one: γ_(n+1)·|scale|·Σ|a[t]·b[t]|. The sum is that
// of Dot, and is rounded once more when it is scaled.
func RowDotsBound(a, b []float32, scale float32) float64 {
	n := min(len(a), len(b))
	var sum float64
	for t := range n {
		sum += math.Abs(float64(a[t]) * float64(b[t]))
	}
	size := math.Abs(float64(scale))
	return gamma(n+1)*size*sum + (float64(n)*size+1)*subnormal
}
