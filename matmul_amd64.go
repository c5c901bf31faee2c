//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// tilesAVX2 computes count tiles of a product below each other on AVX2 and FMA,
// each height rows high: dst = start + a·b for depth values. Strides and panel are
// in bytes. A tile is 4, 2 or 1 panels wide with up to 1, 3 or 6 rows. With 0 panels
// it is up to 8 columns wide with up to 6 rows.
//
//go:noescape
func tilesAVX2(dst, start, a, b *float32, count, height, panels, columns, depth, strideDst, strideStart, strideA, strideB, panel int)

// tilesAVX512 is tilesAVX2 on AVX-512. A tile is 4, 2 or 1 panels wide with up to 3,
// 8 or 8 rows, and of its last panel it has only the first columns.
//
//go:noescape
func tilesAVX512(dst, start, a, b *float32, count, height, panels, columns, depth, strideDst, strideStart, strideA, strideB, panel int)

// rowDotsAVX2 is rowDots on AVX2 and FMA for count times height rows, height 1 or
// 2, at least one row of b and a depth of at least 1. Strides are in bytes.
//
//go:noescape
func rowDotsAVX2(dst, a, b *float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32)

// rowDotsAVX512 is rowDotsAVX2 on AVX-512, height 1 or 4.
//
//go:noescape
func rowDotsAVX512(dst, a, b *float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32)

func matMul(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) {
	if !useAVX2 {
		kernel.Linear(dst, x, rows, w, bias, Identity, stride, first, end)
		return
	}
	p := packed(dst, x, rows, w, bias, stride, first, end)
	p.compute()
}

func attention(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
	if !useAVX2 {
		kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
		return
	}
	attentionBlocks(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
}

func attentionColumns(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
	if !useAVX2 {
		kernel.AttentionColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
		return
	}
	attendColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
}

func weightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
	if !useAVX2 {
		kernel.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
		return
	}
	product := weighted(dst, p, v, rows, n, depth, strideDst, strideV)
	product.compute()
}

func rowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	if !useAVX2 {
		kernel.RowDots(dst, a, b, rows, cols, depth, strideA, strideB, scale)
		return
	}
	rowDotsBlocks(dst, a, b, rows, cols, depth, strideA, strideB, scale)
}

// tallest is the most rows of a tile.
func tallest() int {
	if useAVX512 {
		return 8
	}
	return 6
}

// strip computes count tiles of a height below each other in all columns.
func (p *product) strip(row, count, height, k, depth int) {
	if useAVX512 {
		p.stripAVX512(row, count, height, k, depth)
	} else {
		p.stripAVX2(row, count, height, k, depth)
	}
}

// panelsAVX2 and panelsAVX512 are the widths of tiles by their height.
var (
	panelsAVX2   = [...]int{1: 4, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1}
	panelsAVX512 = [...]int{1: 4, 2: 4, 3: 4, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2}
)

func (p *product) stripAVX2(row, count, height, k, depth int) {
	column := 0
	for panels := panelsAVX2[height]; panels > 0; panels /= 2 {
		for width := panels * panelWidth; p.columns-column >= width; column += width {
			start, strideStart := p.start(row, column, k)
			a, b := p.operands(row, column, k)
			tilesAVX2(&p.dst[row*p.strideDst+column], start, a, b, count, height, panels, panelWidth, depth,
				4*p.strideDst, 4*strideStart, 4*p.strideA, 4*p.strideB, 4*p.panel)
		}
	}
	for ; column < p.columns; column += 8 {
		start, strideStart := p.start(row, column, k)
		a, b := p.operands(row, column, k)
		tilesAVX2(&p.dst[row*p.strideDst+column], start, a, b, count, height, 0, min(8, p.columns-column), depth,
			4*p.strideDst, 4*strideStart, 4*p.strideA, 4*p.strideB, 4*p.panel)
	}
}

func (p *product) stripAVX512(row, count, height, k, depth int) {
	column := 0
	for panels := panelsAVX512[height]; panels > 0; panels /= 2 {
		for least := (panels - 1) * panelWidth; p.columns-column > least; column += panels * panelWidth {
			last := min(panelWidth, p.columns-column-least)
			start, strideStart := p.start(row, column, k)
			a, b := p.operands(row, column, k)
			tilesAVX512(&p.dst[row*p.strideDst+column], start, a, b, count, height, panels, last, depth,
				4*p.strideDst, 4*strideStart, 4*p.strideA, 4*p.strideB, 4*p.panel)
		}
	}
}

// rowDotsStrip computes up to rowBlock rows of dst, whose rows are strideDst long.
func rowDotsStrip(dst, a, b []float32, rows, cols, depth, strideDst, strideA, strideB int, scale float32) {
	height := 2
	if useAVX512 {
		height = 4
	}
	tall := rows - rows%height
	if tall > 0 {
		rowDotsTiles(dst, a, b, tall/height, height, cols, depth, strideDst, strideA, strideB, scale)
	}
	if tall < rows {
		rowDotsTiles(dst[tall*strideDst:], a[tall*strideA:], b, rows-tall, 1, cols, depth, strideDst, strideA, strideB, scale)
	}
}

func rowDotsTiles(dst, a, b []float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32) {
	if useAVX512 {
		rowDotsAVX512(&dst[0], &a[0], &b[0], count, height, cols, depth, 4*strideDst, 4*strideA, 4*strideB, scale)
	} else {
		rowDotsAVX2(&dst[0], &a[0], &b[0], count, height, cols, depth, 4*strideDst, 4*strideA, 4*strideB, scale)
	}
}
