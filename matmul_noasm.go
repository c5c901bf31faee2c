//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

func matMul(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) {
	kernel.Linear(dst, x, rows, w, bias, Identity, stride, first, end)
}

func attention(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
}

func attentionColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	kernel.AttentionColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
}

func rowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	kernel.RowDots(dst, a, b, rows, cols, depth, strideA, strideB, scale)
}

func weightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
	kernel.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
}
