//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// tilesNEON computes count tiles of a product below each other, each height rows
// high, up to 4, and columns wide, which is 16, 4 or 1: dst = start + a·b for depth
// values. Strides are in bytes.
//
//go:noescape
func tilesNEON(dst, start, a, b *float32, count, height, columns, depth, strideDst, strideStart, strideA, strideB int)

// rowDotsNEON is rowDots for count times height rows, height up to 4, at least one
// row of b and a depth of at least 1. Strides are in bytes.
//
//go:noescape
func rowDotsNEON(dst, a, b *float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32)

func matMul(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) {
	if !useNEON {
		kernel.Linear(dst, x, rows, w, bias, Identity, stride, first, end)
		return
	}
	p := packed(dst, x, rows, w, bias, stride, first, end)
	p.compute()
}

func attention(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	if !useNEON {
		kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
		return
	}
	attentionBlocks(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
}

func attentionColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	if !useNEON {
		kernel.AttentionColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
		return
	}
	attendColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
}

func weightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
	if !useNEON {
		kernel.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
		return
	}
	product := weighted(dst, p, v, rows, n, depth, strideDst, strideV)
	product.compute()
}

func rowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	if !useNEON {
		kernel.RowDots(dst, a, b, rows, cols, depth, strideA, strideB, scale)
		return
	}
	rowDotsBlocks(dst, a, b, rows, cols, depth, strideA, strideB, scale)
}

// tallest is the most rows of a tile.
func tallest() int { return 4 }

// strip computes count tiles of a height below each other in all columns.
func (p *product) strip(row, count, height, k, depth int) {
	column := 0
	for _, width := range [...]int{panelWidth, 4, 1} {
		for ; p.columns-column >= width; column += width {
			start, strideStart := p.start(row, column, k)
			a, b := p.operands(row, column, k)
			tilesNEON(&p.dst[row*p.strideDst+column], start, a, b, count, height, width, depth,
				4*p.strideDst, 4*strideStart, 4*p.strideA, 4*p.strideB)
		}
	}
}

// rowDotsStrip computes up to rowBlock rows of dst, whose rows are strideDst long.
func rowDotsStrip(dst, a, b []float32, rows, cols, depth, strideDst, strideA, strideB int, scale float32) {
	if rows > 3 {
		rowDotsNEON(&dst[0], &a[0], &b[0], rows/4, 4, cols, depth, 4*strideDst, 4*strideA, 4*strideB, scale)
	}
	if last := rows % 4; last > 0 {
		rowDotsNEON(&dst[(rows-last)*strideDst], &a[(rows-last)*strideA], &b[0], 1, last, cols, depth, 4*strideDst, 4*strideA, 4*strideB, scale)
	}
}
