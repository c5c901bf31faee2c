package kernel

// Activation is what Linear does to each of its results.
type Activation int

const (
	Identity Activation = iota // nothing
	ReLU                       // as Relu
	GELU                       // as Gelu
)

// LinearFits reports whether Linear does anything with these arguments.
func LinearFits(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) bool {
	return first >= 0 && first%PanelWidth == 0 && first <= end && end <= w.out &&
		Fits(dst, rows, stride, end-first) && (rows < 2 || stride >= end-first) &&
		Fits(x, rows, w.in, w.in) && (bias == nil || len(bias) >= w.out)
}

// Linear is one layer, y = act(x Wᵀ + b), for the outputs from first up to end:
//
//	dst[i·stride+j−first] = act(bias[j] + Σ_k x[i·in+k]·W[j, k])
//
// bit by bit the result of MatMul under the activation. What lies between the rows of
// dst is left alone, so several calls may compute some outputs each at the same time.
// It does nothing when a slice is too short, rows of dst would overlap, first is not
// a multiple of 16, where a panel begins, or end is beyond the outputs.
//
// Error: that of MatMul, which the activation carries along, and its own.
//
// Aliasing: as in MatMul.
func Linear(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, stride, first, end int) {
	if !LinearFits(dst, x, rows, w, bias, stride, first, end) || first == end {
		return
	}
	matMul(dst, x, rows, w, bias, stride, first, end)
	for i := range rows {
		y := dst[i*stride:][:end-first]
		switch act {
		case ReLU:
			Relu(y, y)
		case GELU:
			Gelu(y, y)
		}
	}
}
