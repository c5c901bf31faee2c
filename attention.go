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

// AttentionColumnsScores is how many values AttentionColumns needs room for.
func AttentionColumnsScores(rows, n int) int { return kernel.AttentionColumnsScores(rows, n) }

// ColumnBlock is how many queries AttentionColumns takes at a time, for n keys.
func ColumnBlock(n int) int { return kernel.ColumnBlock(n) }

// AttentionColumns is Attention with queries and results as columns, for keys that are
// not too many: dst[t·strideDst+i] for t below width and i below rows, from Qᵀ with rows
// strideQ apart, n keys strideKeys apart and values = Vᵀ [width, n]. dst may be q where
// width is depth and the strides are the same. scores is room to work in, at least
// AttentionColumnsScores(rows, n) values. It does nothing when something does not fit.
// kernel.AttentionColumns defines it.
func AttentionColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	if kernel.AttentionColumnsFits(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys) {
		attentionColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
	}
}
