package kernel

import "math"

// Softmax writes e^(x[i]−m) / Σ_j e^(x[j]−m) to dst[i], where m is the largest
// value of x, over the shorter of dst and x. The rest of dst is left alone.
//
// x[i]−m is rounded to float32, and its exponential is 0 where that would be
// subnormal, which is for x[i]−m below −87.33654. The result is the exponential
// times the rounded reciprocal of the sum, so it may itself be subnormal.
//
// Order: the sum has one accumulator, from the first index up. Assembly may use
// more accumulators in a fixed tree, and may fuse inside the exponential.
//
// Error: every exponential is within 2 ulp of the correctly rounded one, and
// every result within SoftmaxBound of the exact softmax of the rounded x[i]−m.
//
// Infinity and NaN: −Inf is masked and gives exactly 0. When everything is
// masked all results are 0. A +Inf or a NaN anywhere makes all results NaN.
// Finite input never gives NaN, however far its values lie apart.
//
// Aliasing: dst may be x itself. Any other overlap is not allowed.
func Softmax(dst, x []float32) {
	n := min(len(dst), len(x))
	dst, x = dst[:n], x[:n]
	// Starting at the lowest finite value keeps −Inf − m from being NaN.
	sum := ExpSum(dst, x, Maximum(x, -math.MaxFloat32))
	// The largest value adds e^0 = 1: only a masked sum is less.
	Scale(dst, 1/max(sum, 1))
}

// Maximum returns the largest of m and x, a step of Softmax. A NaN in x is not
// looked at here; assembly may return any value then.
func Maximum(x []float32, m float32) float32 {
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// ExpSum sets dst[i] = e^(x[i]−m) over len(x) values and returns their sum, a step
// of Softmax. No x[i] is above m. dst is no shorter and may be x.
func ExpSum(dst, x []float32, m float32) float32 {
	var sum float32
	for i, v := range x {
		dst[i] = exp(v - m)
		sum += dst[i]
	}
	return sum
}

// Scale multiplies every x[i] by s, a step of Softmax.
func Scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}
