//go:build (amd64 || arm64) && !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// Blocks of a product, so that what a loop of assembly reads again and again stays
// in the L1 cache, and no call takes long: a panel of depthBlock is 16 KiB, rowBlock
// rows of that depth are 256 KiB.
const (
	panelWidth = kernel.PanelWidth
	depthBlock = 256
	rowBlock   = 256
)

// product is dst [rows, columns] = bias + a [rows, depth]·b [depth, columns]. The
// columns of b are in panels of 16: strideB is from one row of a panel to the next,
// panel from one panel to the next. With strideB the whole row and panel 16 it is an
// ordinary matrix. With add set, a·b comes on top of what dst holds, without a bias.
type product struct {
	dst, bias, a, b             []float32 // bias may be nil
	rows, columns, depth        int
	strideDst, strideA, strideB int
	panel                       int
	add                         bool
}

// packed is the product that Linear asks for: the outputs from first, the beginning of
// a panel, up to end.
func packed(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) product {
	if bias != nil {
		bias = bias[first:]
	}
	return product{
		dst: dst, bias: bias, a: x, b: w.Panels()[first*w.In():],
		rows: rows, columns: end - first, depth: w.In(),
		strideDst: stride, strideA: w.In(), strideB: panelWidth, panel: panelWidth * w.In(),
	}
}

// weighted is the product that WeightedRows asks for.
func weighted(dst, p, v []float32, rows, n, depth, strideDst, strideV int) product {
	return product{
		dst: dst, a: p, b: v,
		rows: rows, columns: depth, depth: n,
		strideDst: strideDst, strideA: n, strideB: strideV, panel: panelWidth,
	}
}

// compute goes through the blocks. Between blocks of the depth the sums wait in
// dst. How high tiles are, and how a strip of them is computed in all columns, is a
// matter of the kernel set.
func (p *product) compute() {
	if p.columns == 0 {
		return
	}
	if p.depth == 0 { // nothing to read, but addresses are taken
		p.a, p.b, p.strideA, p.panel = zeros[:], zeros[:], 0, 0
	}
	for k := 0; k == 0 || k < p.depth; k += depthBlock {
		depth := min(depthBlock, p.depth-k)
		for row := 0; row < p.rows; row += rowBlock {
			rows := min(rowBlock, p.rows-row)
			if rows <= tallest() {
				p.strip(row, 1, rows, k, depth)
				continue
			}
			// Tiles of two heights that differ by one: none is left with few rows.
			count := (rows + tallest() - 1) / tallest()
			height := (rows + count - 1) / count
			tall := rows - count*(height-1)
			p.strip(row, tall, height, k, depth)
			if tall < count {
				p.strip(row+tall*height, count-tall, height-1, k, depth)
			}
		}
	}
}

// zeros starts the sums of products without a bias, as many as a tile is wide.
var zeros [4 * panelWidth]float32

// start is where the sums of a tile begin, and how far apart its rows are there.
func (p *product) start(row, column, k int) (*float32, int) {
	switch {
	case k > 0 || p.add:
		return &p.dst[row*p.strideDst+column], p.strideDst
	case p.bias != nil:
		return &p.bias[column], 0
	}
	return &zeros[0], 0
}

// operands is where the tiles at a row and a column read a and b from k on.
func (p *product) operands(row, column, k int) (a, b *float32) {
	return &p.a[row*p.strideA+k], &p.b[column/panelWidth*p.panel+k*p.strideB+column%panelWidth]
}

// dotsBlock is how many values of b the rows of a go by before the next ones: 16
// KiB stay in the L1 cache. Rows longer than that are dot products by themselves.
const dotsBlock = 1 << 12

// rowDotsBlocks goes through blocks of rows of a and of b.
func rowDotsBlocks(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	if depth > dotsBlock || depth == 0 {
		for i := range rows {
			for j := range cols {
				var sum float32
				if depth > 0 {
					sum = dot(a[i*strideA:][:depth], b[j*strideB:][:depth])
				}
				dst[i*cols+j] = scale * sum
			}
		}
		return
	}
	atOnce := max(8, dotsBlock/depth&^7)
	for j := 0; j < cols; j += atOnce {
		n := min(atOnce, cols-j)
		for i := 0; i < rows; i += rowBlock {
			rowDotsStrip(dst[i*cols+j:], a[i*strideA:], b[j*strideB:], min(rowBlock, rows-i), n, depth, cols, strideA, strideB, scale)
		}
	}
}
