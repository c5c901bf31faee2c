package kernel

import "math"

// KeyBlock is how many keys Attention takes at a time, and MostQueries how many
// queries assembly takes beside each other at most.
const KeyBlock, MostQueries = 256, 128

// mostScores is how many scores there are at a time: 24 KiB stay in the first cache.
const mostScores = 24 * KeyBlock

// QueryBlock is how many queries assembly takes beside each other, for n keys.
func QueryBlock(n int) int {
	return min(MostQueries, mostScores/max(1, min(n, KeyBlock))&^7)
}

// AttentionScores is how many values Attention needs room for: the scores of a block
// of queries over a block of keys. Fewer keys or rows never need more.
func AttentionScores(rows, n int) int {
	return min(mostScores, max(0, min(rows, MostQueries))*max(0, min(n, KeyBlock)))
}

// AttentionFits reports whether Attention does anything with these arguments.
func AttentionFits(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) bool {
	return Fits(dst, rows, strideDst, width) && Fits(q, rows, strideQ, depth) &&
		Fits(keys, depth, n, n) && Fits(values, n, width, width) &&
		len(scores) >= AttentionScores(rows, n) && (rows < 2 || strideDst >= width)
}

// Attention sets rows of dst to softmax(Q Kᵀ) V, for rows of Q and n keys:
//
//	dst[i·strideDst+t] = Σ_j p_ij·values[j·width+t] for t below width
//	p_ij = e^(s_ij) / Σ_j e^(s_ij), s_ij = Σ_k q[i·strideQ+k]·keys[k·n+j] for k below depth
//
// keys is Kᵀ [depth, n], values is V [n, width]. scores is room to work in, at least
// AttentionScores(rows, n) values; what it holds afterwards is not defined. Without
// keys all results are 0. It does nothing when a slice is too short, a number is
// negative or rows of dst would overlap; what lies between the rows is left alone.
//
// Order (online softmax; Milakov and Gimelshein, arXiv 1805.02867): the keys go by
// in blocks of KeyBlock. m is the largest score so far. A block with a larger one
// first multiplies the sums so far by e^(old m − new m). Then its exponentials
// e^(s−m) are added to the total, and their products with the values to the results,
// each as in WeightedRows. In the end the results are multiplied by 1/total. So with
// up to KeyBlock keys nothing is computed twice.
//
// Error: every result is within AttentionBound of the exact one.
//
// Infinity and NaN: a score of −Inf is masked and gives weight 0, as in Softmax; with
// all scores masked the results are 0. A score of +Inf or NaN makes its row NaN. An
// infinity or NaN in the values acts in its column as IEEE 754 computes.
//
// Aliasing: dst and scores must not overlap each other or the others, which are only
// read. Calls with scores of their own may write other rows, or other columns of the
// same rows, at the same time.
func Attention(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	if !AttentionFits(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ) || width == 0 {
		return
	}
	for i := range rows {
		y := dst[i*strideDst:][:width]
		clear(y)
		m, total := float32(-math.MaxFloat32), float32(0)
		for first := 0; first < n; first += KeyBlock {
			s := scores[:min(KeyBlock, n-first)]
			clear(s)
			for k := range depth {
				weight := q[i*strideQ+k]
				for j, key := range keys[k*n+first:][:len(s)] {
					s[j] += float32(weight * key)
				}
			}
			if top := Maximum(s, m); top > m {
				factor := exp(m - top)
				total *= factor
				Scale(y, factor)
				m = top
			}
			total += ExpSum(s, s, m)
			for j, weight := range s {
				for t, value := range values[(first+j)*width:][:width] {
					y[t] += float32(weight * value)
				}
			}
		}
		Scale(y, 1/max(total, 1))
	}
}

// AttentionBound returns the largest distance of results of Attention from the exact
// ones, for one query q [depth] and every column t of the values: it fills bound
// [width]. p are the exact weights of the n keys and s their scores.
//
// Every score is off by e = γ_depth·Σ|q·k| at most, its distance from the largest one
// is rounded once, and so is that of one block's largest from the next one's: e^s is
// off by a factor of e^(2e) and of γ_2 times the range of the scores. An exponential
// is within 5 u, as in SoftmaxBound. Every block but the first rescales, which is an
// exponential and a product. All that counts for the numerator and for the total.
// Both are sums over n keys, and the reciprocal and the last product are rounded
// once. Exponentials that are 0 instead of subnormal are below 2⁻¹²⁶.
func AttentionBound(bound []float64, q, keys, values []float32, p, s []float64) {
	n, depth, width := len(p), len(q), len(bound)
	var e float64
	low, high := math.Inf(1), math.Inf(-1)
	for j := range n {
		var size float64
		for k, v := range q {
			size += math.Abs(float64(v) * float64(keys[k*n+j]))
		}
		e = max(e, gamma(depth)*size+float64(depth)*subnormal)
		low, high = min(low, s[j]), max(high, s[j])
	}
	blocks := (n + KeyBlock - 1) / KeyBlock
	inWeight := math.Expm1(2*e+gamma(2)*(high-low+2*e)) + gamma(5+6*blocks)
	off := (1+inWeight)*(1+inWeight)*(1+gamma(2*n+2)) - 1
	for t := range width {
		var size, largest float64
		for j := range n {
			v := math.Abs(float64(values[j*width+t]))
			size += p[j] * v
			largest = max(largest, v)
		}
		bound[t] = off*size + float64(n)*(0x1p-126*largest+subnormal)
	}
}
