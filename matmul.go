package ragedge

import "github.com/ragedge/ragedge/kernel"

// Packed is a weight matrix [out, in] in the order in which MatMul reads it, the
// same for every kernel set. Its methods Out and In tell its size.
type Packed = kernel.Packed

// Pack returns a packed copy of weight [out, in], row-major. When weight has fewer
// values than that, or a number is negative, the result is the empty matrix. It is
// for the start of a program: it allocates, other than the kernels.
func Pack(weight []float32, out, in int) Packed { return kernel.Pack(weight, out, in) }

// MatMul sets dst [rows, out] to x Wᵀ + b for x [rows, in] and bias [out], all
// row-major; a nil bias is 0. dst must not overlap the others. It does nothing when
// a slice is too short. kernel.MatMul defines it.
func MatMul(dst, x []float32, rows int, w *Packed, bias []float32) {
	if kernel.MatMulFits(dst, x, rows, w, bias) {
		matMul(dst, x, rows, w, bias, w.Out(), 0, w.Out())
	}
}

// RowDots sets dst [rows, cols] to dot products of rows, times scale:
// dst[i·cols+j] = scale·Σ_t a[i·strideA+t]·b[j·strideB+t] for t below depth. dst
// must not overlap the others. It does nothing when a slice is too short.
// kernel.RowDots defines it.
func RowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
	if kernel.RowDotsFits(dst, a, b, rows, cols, depth, strideA, strideB) {
		rowDots(dst, a, b, rows, cols, depth, strideA, strideB, scale)
	}
}

// WeightedRows sets rows of dst to sums of rows under the weights p [rows, n]:
// dst[i·strideDst+t] = Σ_j p[i·n+j]·v[j·strideV+t] for t below depth. dst must not
// overlap the others. It does nothing when a slice is too short, or when rows of
// dst would overlap. kernel.WeightedRows defines it.
func WeightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
	if kernel.WeightedRowsFits(dst, p, v, rows, n, depth, strideDst, strideV) {
		weightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
	}
}
