package ragedge

import "github.com/ragedge/ragedge/kernel"

// AttentionScores is how many values Attention needs room for.
func AttentionScores(rows, n int) int { return kernel.AttentionScores(rows, n) }

// Attention sets rows of dst to softmax(Q Kᵀ) V, in one pass over blocks of keys:
// dst[i·strideDst+t] for t below width from q[i·strideQ+k] for k below depth, the keys
// as Kᵀ [depth, n] and the values [n, width]. scores is room to work in, at least
// AttentionScores(rows, n) values. It does nothing when something does not fit.
// kernel.Attention defines it.
func Attention(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	if kernel.AttentionFits(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ) && width > 0 {
		attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
	}
}
