//go:build !purego

package ragedge

import (
	"testing"

	"github.com/ragedge/ragedge/kernel/kerneltest"
)

// elementwiseAssemblies is the assembly of each set, without dispatch; this CPU may
// lack some.
var elementwiseAssemblies = map[string]kerneltest.Elementwise{
	"avx2": {
		LayerNorm: layerNormAVX2, Tanh: tanhAVX2, Gelu: geluAVX2, Relu: reluAVX2,
		SoftmaxColumns: func(x []float32, rows, columns int) { softmaxColumnsAVX2(x, rows, columns, columns) },
	},
	"avx512": {
		LayerNorm: layerNormAVX512, Tanh: tanhAVX512, Gelu: geluAVX512, Relu: reluAVX512,
		SoftmaxColumns: func(x []float32, rows, columns int) {
			whole := columns &^ 15
			softmaxColumnsAVX2(x[whole:], rows, columns-whole, columns)
			if whole > 0 {
				softmaxColumnsAVX512(x, rows, whole, columns)
			}
		},
	},
}

// TestElementwiseAssembled runs the assembly on the lengths that dispatch leaves to
// another set, too; with -short that of the set in use.
func TestElementwiseAssembled(t *testing.T) {
	for _, set := range assembled() {
		if testing.Short() && set != KernelSet() {
			continue
		}
		k := elementwiseAssemblies[set]
		equal := func(f func(dst, x []float32)) func(dst, x []float32) {
			return func(dst, x []float32) {
				n := min(len(dst), len(x))
				f(dst[:n], x[:n])
			}
		}
		t.Run(set, func(t *testing.T) {
			kerneltest.RunElementwise(t, kerneltest.Elementwise{
				LayerNorm: func(dst, x, weight, bias []float32) {
					n := min(len(weight), len(bias))
					if n == 0 {
						return
					}
					if size := min(len(dst), len(x)) / n * n; size > 0 {
						k.LayerNorm(dst[:size], x[:size], weight[:n], bias[:n])
					}
				},
				Tanh: equal(k.Tanh), Gelu: equal(k.Gelu), Relu: equal(k.Relu),
				SoftmaxColumns: func(x []float32, rows, columns int) {
					if rows > 0 && columns > 0 && len(x) >= columns {
						k.SoftmaxColumns(x, min(rows, len(x)/columns), columns)
					}
				},
			})
		})
	}
}
