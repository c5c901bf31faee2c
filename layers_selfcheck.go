package ragedge

import (
	"fmt"

	"github.com/ragedge/ragedge/kernel"
)

// checkLayers is check for what is made of several kernels: some columns of a layer, and
// attention over two blocks of keys.
func checkLayers(
	linear func(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, stride, first, end int),
	attention func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int),
	attentionColumns func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int),
) error {
	const rows, in, out, first = 9, 13, 41, kernel.PanelWidth
	x, weight, bias := make([]float32, rows*in), make([]float32, out*in), make([]float32, out)
	got, want, was := make([]float32, rows*out), make([]float32, rows*out), make([]float32, rows*out)
	for _, x := range [][]float32{x, weight, bias, was} {
		for i := range x {
			x[i] = float32((73*i+len(x))%101-50) / 7
		}
	}
	w := Pack(weight, out, in)
	// bound is that of output j in row i; the columns before first must stay.
	bound := func(i, j int) float64 {
		if j < first {
			return 0
		}
		return kernel.MatMulBound(x[i*in:(i+1)*in], &w, bias, j)
	}
	copy(got, was)
	copy(want, was)
	linear(got[first:], x, rows, &w, bias, ReLU, out, first, out)
	kernel.Linear(want[first:], x, rows, &w, bias, ReLU, out, first, out)
	for at, v := range want {
		if i, j := at/out, at%out; !near(got[at], v, 2*bound(i, j)) {
			return fmt.Errorf("layer of %d rows: [%d, %d] is %v, want %v", rows, i, j, got[at], v)
		}
	}

	const n, depth, width = kernel.KeyBlock + 5, 3, 7
	keys, values := make([]float32, depth*n), make([]float32, n*width)
	for i := range keys {
		keys[i] = float32(i%89)/89 - 0.5
	}
	for i := range values {
		values[i] = float32(i%97) / 97
	}
	scores := make([]float32, AttentionScores(rows, n))
	attention(got, x, keys, values, scores, rows, n, depth, width, out, in)
	kernel.Attention(want, x, keys, values, scores, rows, n, depth, width, out, in)
	for i := range rows {
		for t := range width {
			// Values below 1, scores up to 11, weights that add up to 1: 1e-4 is far
			// more than the roundings of n sums, and far less than a key's weight.
			if g, v := got[i*out+t], want[i*out+t]; !near(g, v, 1e-4) {
				return fmt.Errorf("attention to %d keys: [%d, %d] is %v, want %v", n, i, t, g, v)
			}
		}
	}
	// The same numbers in other places: x is Qᵀ [in, rows] now.
	const few = 19
	scores = make([]float32, AttentionColumnsScores(rows, few))
	attentionColumns(got, x, keys, values, scores, rows, few, in, width, rows, rows, in)
	kernel.AttentionColumns(want, x, keys, values, scores, rows, few, in, width, rows, rows, in)
	for at, v := range want[:width*rows] {
		if g := got[at]; !near(g, v, 1e-4) {
			return fmt.Errorf("attention of columns to %d keys: [%d, %d] is %v, want %v", few, at/rows, at%rows, g, v)
		}
	}
	return nil
}
