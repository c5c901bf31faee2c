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

// transpose takes whole blocks; plain Go does the rows and columns that are left.
func transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	const block = transposeBlock
	high, wide := rows/block*block, columns/block*block
	if !useNEON || high == 0 || wide == 0 {
		kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
		return
	}
	for i := 0; i < high; i += rowBlock {
		count := min(rowBlock, high-i) / block
		for j := 0; j < wide; j += block {
			transposeNEON(&dst[j*strideDst+i], &a[i*strideA+j], count, 4*strideDst, 4*strideA)
		}
	}
	if high < rows {
		kernel.Transpose(dst[high:], a[high*strideA:], rows-high, columns, strideDst, strideA)
	}
	if wide < columns {
		kernel.Transpose(dst[wide*strideDst:], a[wide:], high, columns-wide, strideDst, strideA)
	}
}
