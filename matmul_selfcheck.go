package ragedge

import (
	"fmt"

	"github.com/ragedge/ragedge/kernel"
)

// checkProducts is check for the products of matrices: every height of a tile, with
// widths and depths on both sides of the blocks.
func checkProducts(
	matMul func(dst, x []float32, rows int, w *Packed, bias []float32),
	rowDots func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32),
	weightedRows func(dst, p, v []float32, rows, n, depth, strideDst, strideV int),
) error {
	const rows, out, in, scale = 9, 83, 19, 0.75
	x, weight, bias := make([]float32, rows*in), make([]float32, out*in), make([]float32, out)
	for _, x := range [][]float32{x, weight, bias} {
		for i := range x {
			x[i] = float32((73*i+len(x))%101-50) / 7
		}
	}
	got, want := make([]float32, rows*out), make([]float32, rows*out)
	for _, n := range []int{out, out - 7, 64, 33, 15, 8, 5} {
		w := Pack(weight, n, in)
		for r := 1; r <= rows; r++ {
			matMul(got, x, r, &w, bias)
			kernel.MatMul(want, x, r, &w, bias)
			for at, v := range want[:r*n] {
				i, j := at/n, at%n
				if !near(got[at], v, 2*kernel.MatMulBound(x[i*in:][:in], &w, bias, j)) {
					return fmt.Errorf("matrix product of %d rows and %d outputs: [%d, %d] is %v, want %v", r, n, i, j, got[at], v)
				}
			}
			rowDots(got, x, weight, r, n, in, in, in, scale)
			kernel.RowDots(want, x, weight, r, n, in, in, in, scale)
			for at, v := range want[:r*n] {
				i, j := at/n, at%n
				if !near(got[at], v, 2*kernel.RowDotsBound(x[i*in:][:in], weight[j*in:][:in], scale)) {
					return fmt.Errorf("dot products of %d and %d rows: [%d, %d] is %v, want %v", r, n, i, j, got[at], v)
				}
			}
			weightedRows(got, x, weight, r, in, n, n, n)
			kernel.WeightedRows(want, x, weight, r, in, n, n, n)
			for at, v := range want[:r*n] {
				i, j := at/n, at%n
				if !near(got[at], v, 2*kernel.WeightedRowsBound(x[i*in:][:in], weight[j:], n)) {
					return fmt.Errorf("%d weighted sums of rows of %d: [%d, %d] is %v, want %v", r, n, i, j, got[at], v)
				}
			}
		}
	}
	return nil
}
