package ragedge

import "github.com/ragedge/ragedge/kernel"

// Activation is what Linear does to each of its results.
type Activation = kernel.Activation

const (
	Identity = kernel.Identity // nothing
	ReLU     = kernel.ReLU     // as Relu
	GELU     = kernel.GELU     // as Gelu
)

// Linear is one layer, y = act(x Wᵀ + b), for the outputs from first up to end: these
// columns of dst [rows, out] become those of MatMul under the activation, and the
// others are left alone. first is a multiple of 16, so that several calls may share
// the columns of one dst. It does nothing when something does not fit. kernel.Linear
// defines it.
func Linear(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, first, end int) {
	if !kernel.MatMulFits(dst, x, rows, w, bias) || !kernel.ColumnsFit(w, first, end) {
		return
	}
	if act == Identity {
		matMul(dst, x, rows, w, bias, first, end, false)
		return
	}
	// The activation follows while the results are in the second cache.
	const high, wide = 128, 256
	out, in := w.Out(), w.In()
	for i := 0; i < rows; i += high {
		y, n := dst[i*out:], min(high, rows-i)
		for j := first; j < end; j += wide {
			last := min(j+wide, end)
			matMul(y, x[i*in:], n, w, bias, j, last, false)
			for k := range n {
				activate(y[k*out+j:k*out+last], act)
			}
		}
	}
}

// activate replaces values by their activation.
func activate(y []float32, act Activation) {
	switch act {
	case ReLU:
		relu(y, y)
	case GELU:
		gelu(y, y)
	}
}

// MatMulAdd adds x Wᵀ + b to the columns of dst [rows, out] from first up to end,
// first being a multiple of 16. It does nothing when something does not fit.
// kernel.MatMulAdd defines it.
func MatMulAdd(dst, x []float32, rows int, w *Packed, bias []float32, first, end int) {
	if kernel.MatMulFits(dst, x, rows, w, bias) && kernel.ColumnsFit(w, first, end) {
		matMul(dst, x, rows, w, bias, first, end, true)
	}
}
