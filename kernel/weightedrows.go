package kernel

import "math"

// WeightedRowsFits reports whether WeightedRows does anything with these
// arguments.
func WeightedRowsFits(dst, p, v []float32, rows, n, depth, strideDst, strideV int) bool {
	return Fits(dst, rows, strideDst, depth) && Fits(p, rows, n, n) && Fits(v, n, strideV, depth) &&
		(rows < 2 || strideDst >= depth)
}

// WeightedRows sets rows of dst to sums of the rows of v under the weights p
// [rows, n]: dst[i·strideDst+t] = Σ_j p[i·n+j]·v[j·strideV+t] for t below depth. It
// does nothing when a slice is too short for that, a number is negative, or rows
// of dst would overlap; what lies between the rows is left alone.
//
// Order: for each result, starting from 0, from the first j up. Assembly keeps the
// order but fuses every product with its addition, as in MatMul.
//
// Error: every implementation is within WeightedRowsBound of the exact sum.
//
// Infinity and NaN: as IEEE 754 adds them, in each result for itself. A weight of
// 0 does not hide its row, since 0·Inf and 0·NaN are NaN. Overflow on the way
// depends on the order, as in Dot. The sign of a zero is not defined.
//
// Aliasing: dst must not overlap p or v, which are only read. Two calls may write
// columns of the same rows at the same time.
func WeightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
	if !WeightedRowsFits(dst, p, v, rows, n, depth, strideDst, strideV) || depth == 0 {
		return
	}
	for i := range rows {
		y := dst[i*strideDst:][:depth]
		clear(y)
		for j, weight := range p[i*n : (i+1)*n] {
			for t, value := range v[j*strideV:][:depth] {
				y[t] += float32(weight * value)
			}
		}
	}
}

// WeightedRowsBound returns the largest distance of a result of WeightedRows from
// the exact sum, for the weights p of its row and v from its column on:
// γ_n·Σ_j |p[j]·v[j·strideV]|. A term is rounded at most n times, as in DotBound.
func WeightedRowsBound(p, v []float32, strideV int) float64 {
	var sum float64
	for j, weight := range p {
		sum += math.Abs(float64(weight) * float64(v[j*strideV]))
	}
	return gamma(len(p))*sum + float64(len(p))*subnormal
}
