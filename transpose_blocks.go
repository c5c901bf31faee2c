//go:build (amd64 || arm64) && !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// transposeBlocks transposes a matrix of a block at least: whole blocks, and in plain
// Go the rows and columns that are left.
func transposeBlocks(dst, a []float32, rows, columns, strideDst, strideA int) {
	high, wide := rows/transposeBlock*transposeBlock, columns/transposeBlock*transposeBlock
	for i := 0; i < high; i += rowBlock {
		for j := 0; j < wide; j += transposeBlock {
			transposeStrip(dst[j*strideDst+i:], a[i*strideA+j:], min(rowBlock, high-i), strideDst, strideA)
		}
	}
	if high < rows {
		kernel.Transpose(dst[high:], a[high*strideA:], rows-high, columns, strideDst, strideA)
	}
	if wide < columns {
		kernel.Transpose(dst[wide*strideDst:], a[wide:], high, columns-wide, strideDst, strideA)
	}
}
