package kernel

import (
	"math"
	"math/bits"
)

// PanelWidth is how many outputs a panel of Packed has side by side.
const PanelWidth = 16

// Packed is a weight matrix [out, in] in the order in which MatMul reads it: in
// panels of 16 outputs, the last one filled up with zeros, and in a panel the 16
// weights of input 0, then those of input 1, and so on. The order is the same for
// every implementation. A Packed is not changed once it is made.
type Packed struct {
	out, in int
	panels  []float32 // the weights of panel p and input k at 16·(p·in+k)
}

// Pack returns a packed copy of weight [out, in], row-major. When weight has fewer
// values than that, or a number is negative, the result is the empty matrix.
func Pack(weight []float32, out, in int) Packed {
	if !Fits(weight, out, in, in) {
		return Packed{}
	}
	w := Packed{out: out, in: in}
	if in == 0 {
		return w
	}
	w.panels = make([]float32, (out+PanelWidth-1)/PanelWidth*PanelWidth*in)
	for j := range out {
		panel := w.panel(j)
		for k, v := range weight[j*in : (j+1)*in] {
			panel[k*PanelWidth+j%PanelWidth] = v
		}
	}
	return w
}

// Out is the number of outputs.
func (w *Packed) Out() int { return w.out }

// In is the number of inputs.
func (w *Packed) In() int { return w.in }

// Panels returns the weights in their order, to be read only: those of outputs
// 16·p to 16·p+15 for input k begin at 16·(p·In()+k).
func (w *Packed) Panels() []float32 { return w.panels }

// panel returns the weights from the panel of output j on.
func (w *Packed) panel(j int) []float32 { return w.panels[j/PanelWidth*PanelWidth*w.in:] }

// Fits reports whether x holds rows of width values that begin stride apart. No
// number may be negative. Rows may overlap, and nothing fits everywhere.
func Fits(x []float32, rows, stride, width int) bool {
	if rows < 0 || stride < 0 || width < 0 {
		return false
	}
	if rows == 0 || width == 0 {
		return true
	}
	high, last := bits.Mul(uint(rows-1), uint(stride))
	return high == 0 && width <= len(x) && last <= uint(len(x)-width)
}

// MatMulFits reports whether MatMul does anything with these arguments.
func MatMulFits(dst, x []float32, rows int, w *Packed, bias []float32) bool {
	return Fits(dst, rows, w.out, w.out) && Fits(x, rows, w.in, w.in) && (bias == nil || len(bias) >= w.out)
}

// MatMul sets dst [rows, out] to x Wᵀ + b, both dst and x [rows, in] row-major:
// dst[i·out+j] = bias[j] + Σ_k x[i·in+k]·W[j, k]. A nil bias is 0. It does nothing
// when dst, x or bias is too short for that; what is beyond it is left alone.
//
// Order: for each result, starting from the bias, from the first k up. Assembly
// keeps the order but fuses every product with its addition. So a result depends
// on its own row and weights alone, and not on what is computed beside it, and all
// assembly gives the same bits.
//
// Error: every implementation is within MatMulBound of the exact sum.
//
// Infinity and NaN: as IEEE 754 adds them, in each result for itself. Overflow on
// the way depends on the order, as in Dot. The sign of a zero is not defined.
//
// Aliasing: dst must not overlap x or bias, which are only read.
func MatMul(dst, x []float32, rows int, w *Packed, bias []float32) {
	if !MatMulFits(dst, x, rows, w, bias) {
		return
	}
	matMul(dst, x, rows, w, bias, w.out, 0, w.out)
}

// matMul is MatMul for the outputs from first, the beginning of a panel, up to end,
// to rows of dst that are stride apart.
func matMul(dst, x []float32, rows int, w *Packed, bias []float32, stride, first, end int) {
	for i := range rows {
		y, x := dst[i*stride:][:end-first], x[i*w.in:(i+1)*w.in]
		for j := first; j < end; j += PanelWidth {
			var sum [PanelWidth]float32
			if bias != nil {
				copy(sum[:], bias[j:w.out])
			}
			panel := w.panel(j)
			for k, v := range x {
				for l, weight := range panel[k*PanelWidth:][:PanelWidth] {
					sum[l] += float32(v * weight)
				}
			}
			copy(y[j-first:], sum[:])
		}
	}
}

// MatMulBound returns the largest distance of result j for the row x [in] from the
// exact sum: γ_(in+1)·(|bias[j]| + Σ_k |x[k]·W[j, k]|). A term is rounded at most
// once as a product and in times in additions.
func MatMulBound(x []float32, w *Packed, bias []float32, j int) float64 {
	var sum float64
	if bias != nil {
		sum = math.Abs(float64(bias[j]))
	}
	panel := w.panel(j)
	for k, v := range x {
		sum += math.Abs(float64(v) * float64(panel[k*PanelWidth+j%PanelWidth]))
	}
	return gamma(len(x)+1)*sum + float64(len(x))*subnormal
}
