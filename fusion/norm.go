package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// layerNorm scales a row to mean 0 and variance 1 before it applies a weight and
// a bias per feature:
//
//	y = (x − mean) / √(variance + 1e-5) · weight + bias, the variance divided by d
type layerNorm struct {
	weight, bias []float32 // [d]
	ones         []float32 // [d], all 1
}

// apply normalises every row of x [n, d] to dst, which may be x.
func (n *layerNorm) apply(dst, x []float32) {
	d := len(n.weight)
	for ; len(x) > 0; dst, x = dst[d:], x[d:] {
		n.applyRow(dst[:d], x[:d])
	}
}

func (n *layerNorm) applyRow(dst, x []float32) {
	d := float32(len(x))
	mean := [1]float32{-ragedge.Dot(x, n.ones) / d}
	copy(dst, x)
	ragedge.GatedSum(dst, mean[:], n.ones)
	variance := ragedge.Dot(dst, dst) / d
	scale := float32(1 / math.Sqrt(float64(variance)+1e-5))
	weight, bias := n.weight[:len(dst)], n.bias[:len(dst)]
	for j, v := range dst {
		dst[j] = v*scale*weight[j] + bias[j]
	}
}

// norm turns H into H̄, in place: LayerNorm of every row when the model has
// one.
func (s *State) norm() {
	if n := s.model.norm; n != nil {
		h := s.all.of(s.stack, s.model.Config.Width)
		n.apply(h, h)
	}
}
