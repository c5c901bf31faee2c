//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// transposeAVX2 transposes count blocks of 8 by 8 values below each other in a, which come
// side by side in dst. Strides are in bytes.
//
//go:noescape
func transposeAVX2(dst, a *float32, count, strideDst, strideA int)

// transposeBlock is the side of a block.
const transposeBlock = 8

func transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	if !useAVX2 || rows < transposeBlock || columns < transposeBlock {
		kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
		return
	}
	transposeBlocks(dst, a, rows, columns, strideDst, strideA)
}

// transposeStrip transposes whole blocks below each other, rows high.
func transposeStrip(dst, a []float32, rows, strideDst, strideA int) {
	transposeAVX2(&dst[0], &a[0], rows/transposeBlock, 4*strideDst, 4*strideA)
}
