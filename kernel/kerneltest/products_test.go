package kerneltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

func withMatMul(f func(dst, x []float32, rows int, w *kernel.Packed, bias []float32)) Products {
	return Products{f, kernel.RowDots, kernel.WeightedRows}
}

func withRowDots(f func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32)) Products {
	return Products{kernel.MatMul, f, kernel.WeightedRows}
}

func withWeightedRows(f func(dst, p, v []float32, rows, n, depth, strideDst, strideV int)) Products {
	return Products{kernel.MatMul, kernel.RowDots, f}
}

// TestProductFaults shows that the checks of products find what they are for.
func TestProductFaults(t *testing.T) {
	for name, f := range map[string]struct {
		check    func(Products) error
		products Products
	}{
		"matrix product without its last row": {productShapes, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			kernel.MatMul(dst, x, rows-rows/13, w, bias)
		})},
		"matrix product that forgets the bias": {productShapes, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			if w.Out() == 33 {
				bias = nil
			}
			kernel.MatMul(dst, x, rows, w, bias)
		})},
		"matrix product that writes a whole panel": {productShapes, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			kernel.MatMul(dst, x, rows, w, bias)
			if len(dst) > 0 && w.Out()%kernel.PanelWidth == 15 {
				beyond(dst)[len(dst)] = 0
			}
		})},
		"matrix product of one block of depth": {productLarge, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			if w.In() < 256 || rows > 3 {
				kernel.MatMul(dst, x, rows, w, bias)
			}
		})},
		"matrix product that depends on its neighbours": {productAlone, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			kernel.MatMul(dst, x, rows, w, bias)
			for j := 0; j < 16 && rows == 9; j++ {
				kernel.RowDots(dst[j:j+1], x, weightsOf(w, j), 1, 1, w.In(), 0, 0, 1)
				dst[j] += bias[j]
			}
		})},
		"matrix product that hides NaN": {productSpecials, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			kernel.MatMul(dst, x, rows, w, bias)
			for i, v := range dst {
				if v != v {
					dst[i] = 0
				}
			}
		})},
		"matrix product that multiplies only some": {productShort, withMatMul(func(dst, x []float32, rows int, w *kernel.Packed, bias []float32) {
			if rows > 0 && rows < 100 {
				kernel.MatMul(dst, x, min(rows, len(x)/max(1, w.In())), w, bias)
			}
		})},
		"row dots without a scale": {productShapes, withRowDots(func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
			kernel.RowDots(dst, a, b, rows, cols, depth, strideA, strideB, 1)
		})},
		"row dots of dense rows": {productStrides, withRowDots(func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
			kernel.RowDots(dst, a, b, rows, cols, depth, strideA, depth, scale)
		})},
		"row dots scaled early": {productRange, withRowDots(func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
			small := append([]float32(nil), a...)
			for i := range small {
				small[i] *= scale
			}
			kernel.RowDots(dst, small, b, rows, cols, depth, strideA, strideB, 1)
		})},
		"weighted rows that add": {productShapes, withWeightedRows(func(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
			was := append([]float32(nil), dst...)
			kernel.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
			if len(dst) == 65 {
				dst[64] += was[64]
			}
		})},
		"weighted rows that clear the gaps": {productStrides, withWeightedRows(func(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
			clear(dst)
			kernel.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
		})},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, f.check(f.products)) })
	}
}

// weightsOf returns the weights of output j, in the first panel.
func weightsOf(w *kernel.Packed, j int) []float32 {
	row := make([]float32, w.In())
	for k := range row {
		row[k] = w.Panels()[kernel.PanelWidth*k+j]
	}
	return row
}
