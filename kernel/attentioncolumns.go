package kernel

// columnScores is how many scores AttentionColumns keeps at a time, unless a block of
// the fewest queries has more.
const columnScores, fewestQueries = 12 << 10, 32

// ColumnBlock is how many queries AttentionColumns takes at a time, for n keys: whole
// cache lines, so that two threads do not write the same.
func ColumnBlock(n int) int {
	return max(fewestQueries, min(MostQueries, columnScores/max(1, n)&^(fewestQueries-1)))
}

// AttentionColumnsScores is how many values AttentionColumns needs room for. Fewer keys
// or rows never need more.
func AttentionColumnsScores(rows, n int) int {
	rows, n = max(0, min(rows, MostQueries)), max(0, n)
	return min(max(columnScores, fewestQueries*n), WholeVectors(rows)*n)
}

// WholeVectors rounds columns up to a multiple of 16. Scores have so many columns: a
// softmax of what is in the others costs less than leaving them out.
func WholeVectors(columns int) int { return (columns + 15) &^ 15 }

// AttentionColumnsFits reports whether AttentionColumns does anything with these
// arguments.
func AttentionColumnsFits(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) bool {
	return Fits(dst, width, strideDst, rows) && (width < 2 || strideDst >= rows) &&
		Fits(q, depth, strideQ, rows) && Fits(keys, n, strideKeys, depth) && Fits(values, width, n, n) &&
		len(scores) >= AttentionColumnsScores(rows, n)
}

// AttentionColumns is Attention with queries and results as columns. For q = Qᵀ, which
// has row k at q[k·strideQ], n keys of which key j begins at keys[j·strideKeys], and
// values = Vᵀ [width, n] it sets columns of dst to those of softmax(Q Kᵀ) V:
//
//	dst[t·strideDst+i] = Σ_j values[t·n+j]·p_ji for i below rows, t below width
//	p_ji = e^(s_ji) / Σ_j e^(s_ji), s_ji = Σ_k keys[j·strideKeys+k]·q[k·strideQ+i] for k below depth
//
// scores is room to work in, at least AttentionColumnsScores(rows, n) values. All scores of a
// query are there at once, so this is for keys that are not too many; then it is
// faster, since a softmax down columns takes as many queries at once as a vector has
// lanes. Without keys all results are 0. It does nothing when a slice is too short, a
// number is negative or rows of dst would overlap; what lies between the rows is left
// alone.
//
// Order: scores as in WeightedRows, then SoftmaxColumns, then results as in
// WeightedRows.
//
// Error: every result is within AttentionBound of the exact one.
//
// Infinity and NaN: as in Attention, for each query in itself.
//
// Aliasing: dst may be q itself where width is depth and the strides are the same. Any
// other overlap of dst or scores with each other or the others is not allowed. Calls
// with scores of their own may work on other columns at the same time.
func AttentionColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	if !AttentionColumnsFits(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys) {
		return
	}
	block := ColumnBlock(n)
	for first := 0; first < rows; first += block {
		count := min(block, rows-first)
		p := scores[:n*count]
		clear(p)
		for j := range n {
			for k := range depth {
				weight := keys[j*strideKeys+k]
				for i, v := range q[k*strideQ+first:][:count] {
					p[j*count+i] += float32(weight * v)
				}
			}
		}
		SoftmaxColumns(p, n, count)
		for t := range width {
			y := dst[t*strideDst+first:][:count]
			clear(y)
			for j := range n {
				weight := values[t*n+j]
				for i, v := range p[j*count:][:count] {
					y[i] += float32(weight * v)
				}
			}
		}
	}
}
