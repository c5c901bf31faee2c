package kernel

// Activation is what Linear does to each of its results.
type Activation int

const (
	Identity Activation = iota // nothing
	ReLU                       // as Relu
	GELU                       // as Gelu
)

// ColumnsFit reports whether outputs first to end are some that Linear and
// MatMulAdd can compute by themselves: first is the beginning of a panel.
func ColumnsFit(w *Packed, first, end int) bool {
	return first >= 0 && first%PanelWidth == 0 && first <= end && end <= w.out
}

// Linear is one layer, y = act(x Wᵀ + b), for the outputs from first up to end:
// these columns of dst [rows, out] become those of MatMul under the activation, bit
// by bit. The other columns are left alone, so several calls may compute the columns
// of one dst at the same time. It does nothing when a slice is too short, first is
// not a multiple of 16 or end is beyond the outputs.
//
// Error: that of MatMul, which the activation carries along, and its own.
//
// Aliasing: as in MatMul.
func Linear(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, first, end int) {
	if !MatMulFits(dst, x, rows, w, bias) || !ColumnsFit(w, first, end) {
		return
	}
	matMul(dst, x, rows, w, bias, first, end, false)
	for i := range rows {
		y := dst[i*w.out+first : i*w.out+end]
		switch act {
		case ReLU:
			Relu(y, y)
		case GELU:
			Gelu(y, y)
		}
	}
}

// MatMulAdd adds x Wᵀ + b to the columns of dst from first up to end, first being a
// multiple of 16: dst[i·out+j] + bias[j], rounded, is where the sum of MatMul starts
// instead of bias[j]. Order, infinity and NaN, aliasing and what does not fit are as
// in Linear.
//
// Error: every implementation is within MatMulAddBound of the exact sum.
func MatMulAdd(dst, x []float32, rows int, w *Packed, bias []float32, first, end int) {
	if MatMulFits(dst, x, rows, w, bias) && ColumnsFit(w, first, end) {
		matMul(dst, x, rows, w, bias, first, end, true)
	}
}

// MatMulAddBound returns the largest distance of result j of MatMulAdd for the row
// x [in] from the exact sum, was being what dst held: as MatMulBound, with one more
// term and one more rounding.
func MatMulAddBound(was float32, x []float32, w *Packed, bias []float32, j int) float64 {
	start := []float32{was}
	if bias != nil {
		start = append(start, bias[j])
	}
	return matMulBound(start, x, w, j)
}
