package kernel

import "math"

// The bounds follow the standard analysis (Higham, Accuracy and Stability of
// Numerical Algorithms, 2nd ed., section 3.1): a value that is rounded k times on
// its way into the result carries a factor 1+θ with |θ| ≤ γ_k = k·u / (1 − k·u),
// u = 2⁻²⁴. Each also allows one subnormal step for each product that underflows.
// They hold for any order of summation, fused or not, as long as nothing
// overflows and fewer than 2²⁴ values are added.

const (
	unit      = 0x1p-24
	subnormal = 0x1p-149
)

// gamma is γ_k.
func gamma(k int) float64 { return float64(k) * unit / (1 - float64(k)*unit) }

// DotBound returns the largest distance of Dot(a, b) from the exact sum:
// γ_n·Σ|a[i]·b[i]|. A term is rounded at most n times, once as a product and n−1
// times in additions.
func DotBound(a, b []float32) float64 {
	n := min(len(a), len(b))
	var sum float64
	for i := range n {
		sum += math.Abs(float64(a[i]) * float64(b[i]))
	}
	return gamma(n)*sum + float64(n)*subnormal
}

// GatedSumBound returns the largest distance of column j of GatedSum from the
// exact sum: γ_(n+1)·(|dst[j]| + Σ_i |gates[i]·regions[i·len(dst)+j]|) for n
// rows. A term is rounded at most once as a product and n times in additions.
// dst is what it was before the call.
func GatedSumBound(dst, gates, regions []float32, j int) float64 {
	n := min(len(gates), len(regions)/len(dst))
	sum := math.Abs(float64(dst[j]))
	for i := range n {
		sum += math.Abs(float64(gates[i]) * float64(regions[i*len(dst)+j]))
	}
	return gamma(n+1)*sum + float64(n)*subnormal
}

// SoftmaxBound returns the largest distance of a result of Softmax over n values
// from the exact result p: γ_(n+11)·p. Two ulp and half of one for the correct
// rounding are 5 u; they count for the exponential and once more for the sum of
// exponentials, that is 10. The sum takes n−1 additions, the reciprocal and the
// last product are rounded once each.
func SoftmaxBound(n int, p float64) float64 {
	return gamma(n+11)*p + subnormal
}
