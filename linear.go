package ragedge

import "github.com/ragedge/ragedge/kernel"

// Activation is what Linear does to each of its results.
type Activation = kernel.Activation

const (
	Identity = kernel.Identity // nothing
	ReLU     = kernel.ReLU     // as Relu
	GELU     = kernel.GELU     // as Gelu
)

// Linear is one layer, y = act(x Wᵀ + b), for the outputs from first up to end, first
// being a multiple of 16: dst[i·stride+j−first] becomes output j of row i. What lies
// between the rows of dst is left alone, so several calls may compute some outputs
// each at the same time. It does nothing when something does not fit. kernel.Linear
// defines it.
func Linear(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, stride, first, end int) {
	if !kernel.LinearFits(dst, x, rows, w, bias, stride, first, end) || rows == 0 || first == end {
		return
	}
	if act == Identity {
		matMul(dst, x, rows, w, bias, stride, first, end)
		return
	}
	// The activation follows while the results are in the second cache.
	const high, wide = 128, 256
	for i := 0; i < rows; i += high {
		n := min(high, rows-i)
		for j := first; j < end; j += wide {
			y, last := dst[i*stride+j-first:], min(j+wide, end)
			matMul(y, x[i*w.In():], n, w, bias, stride, j, last)
			for k := range n {
				activate(y[k*stride:][:last-j], act)
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
