//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// transposeNEON transposes count blocks of 4 by 4 values below each other in a, which come
// side by side in dst. Strides are in bytes.
//
//go:noescape
func transposeNEON(dst, a *float32, count, strideDst, strideA int)

// transposeBlock is the side of a block.
const transposeBlock = 4

func transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	if !useNEON || rows < transposeBlock || columns < transposeBlock {
		kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
		return
	}
	transposeBlocks(dst, a, rows, columns, strideDst, strideA)
}

// transposeStrip transposes whole blocks below each other, rows high.
func transposeStrip(dst, a []float32, rows, strideDst, strideA int) {
	transposeNEON(&dst[0], &a[0], rows/transposeBlock, 4*strideDst, 4*strideA)
}
