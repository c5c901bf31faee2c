package ragedge

import "github.com/ragedge/ragedge/kernel"

// Transpose sets dst [columns, rows] to the transpose of a [rows, columns], whose rows
// begin strideDst and strideA apart. dst must not overlap a. It does nothing when
// something does not fit. kernel.Transpose defines it.
func Transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	if kernel.TransposeFits(dst, a, rows, columns, strideDst, strideA) {
		transpose(dst, a, rows, columns, strideDst, strideA)
	}
}
