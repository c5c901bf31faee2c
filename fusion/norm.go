package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// layerNorm scales a row to mean 0 and variance 1 before it applies a weight and
// a bias per feature.
type layerNorm struct {
	weight, bias []float32 // [d]
	ones         []float32 // [d], all 1
}

// apply normalises row [d] in place: (x − mean) / √(variance + 1e-5) · weight +
// bias, the variance divided by d.
func (n *layerNorm) apply(row []float32) {
	d := float32(len(row))
	mean := [1]float32{-ragedge.Dot(row, n.ones) / d}
	ragedge.GatedSum(row, mean[:], n.ones)
	variance := ragedge.Dot(row, row) / d
	scale := float32(1 / math.Sqrt(float64(variance)+1e-5))
	weight, bias := n.weight[:len(row)], n.bias[:len(row)]
	for j, v := range row {
		row[j] = v*scale*weight[j] + bias[j]
	}
}

// norm turns H into H̄, in place: LayerNorm of every row when the model has
// one.
func (s *State) norm() {
	if s.model.norm == nil {
		return
	}
	d := s.model.Config.Width
	for _, h := range s.h {
		for ; len(h) > 0; h = h[d:] {
			s.model.norm.apply(h[:d])
		}
	}
}
