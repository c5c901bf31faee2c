//go:build (amd64 || arm64) && !purego

package ragedge

import (
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// attentionBlocks is attention for a block of queries after the other.
func attentionBlocks(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	most := kernel.QueryBlock(n)
	for i := 0; i < rows; i += most {
		attendBlock(dst[i*strideDst:], q[i*strideQ:], keys, values, scores,
			min(most, rows-i), n, depth, width, strideDst, strideQ)
	}
}

// attendBlock lets up to MostQueries queries attend to all keys.
func attendBlock(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	var tops, totals [kernel.MostQueries]float32 // of each query, so far
	for i := range rows {
		tops[i] = -math.MaxFloat32
		if n == 0 {
			clear(dst[i*strideDst:][:width])
		}
	}
	for j := 0; j < n; j += kernel.KeyBlock {
		count := min(kernel.KeyBlock, n-j)
		score := product{
			dst: scores, a: q, b: keys[j:],
			rows: rows, columns: count, depth: depth,
			strideDst: count, strideA: strideQ, strideB: n, panel: panelWidth,
		}
		score.compute()
		for i := range rows {
			s := scores[i*count:][:count]
			if m := maximum(s, tops[i]); j == 0 || m > tops[i] {
				if j > 0 {
					factor := [1]float32{tops[i]}
					expSum(factor[:], factor[:], m)
					totals[i] *= factor[0]
					scale(dst[i*strideDst:][:width], factor[0])
				}
				tops[i] = m
			}
			totals[i] += expSum(s, s, tops[i])
		}
		sum := product{
			dst: dst, a: scores, b: values[j*width:],
			rows: rows, columns: width, depth: count,
			strideDst: strideDst, strideA: count, strideB: width, panel: panelWidth,
			add: j > 0,
		}
		sum.compute()
	}
	for i := range rows {
		scale(dst[i*strideDst:][:width], 1/max(totals[i], 1))
	}
}

// attendColumns is attentionColumns for a block of queries after the other.
func attendColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	block := kernel.ColumnBlock(n)
	for i := 0; i < rows; i += block {
		count := min(block, rows-i)
		stride := kernel.WholeVectors(count)
		score := product{
			dst: scores, a: keys, b: q[min(i, len(q)):],
			rows: n, columns: count, depth: depth,
			strideDst: stride, strideA: strideKeys, strideB: strideQ, panel: panelWidth,
		}
		score.compute()
		SoftmaxColumns(scores, n, stride)
		sum := product{
			dst: dst[min(i, len(dst)):], a: values, b: scores,
			rows: width, columns: count, depth: n,
			strideDst: strideDst, strideA: n, strideB: stride, panel: panelWidth,
		}
		sum.compute()
	}
}
