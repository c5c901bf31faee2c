package fusion

import "github.com/ragedge/ragedge"

// layerNorm scales a row to mean 0 and variance 1 before it applies a weight and
// a bias per feature, as ragedge.LayerNorm does.
type layerNorm struct{ weight, bias []float32 } // [d]

// apply normalises every row of x [n, d] to dst, which may be x.
func (n *layerNorm) apply(dst, x []float32) { ragedge.LayerNorm(dst, x, n.weight, n.bias) }

// norm turns H into H̄, in place: LayerNorm of every row when the model has one.
// Without blocks, project has done it.
func (s *State) norm() {
	if n := s.model.norm; n != nil && len(s.model.blocks) > 0 {
		h := s.all.of(s.stack, s.model.Config.Width)
		n.apply(h, h)
	}
}
