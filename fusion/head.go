package fusion

import "github.com/ragedge/ragedge"

// newHead returns the layers of the head.
func newHead(c *Config, w weights) []linear {
	h, in := &c.Head, c.Width*c.fusedRows(c.maxSlots())
	switch {
	case h.Task == Embed:
		return nil
	case h.Hidden == 0:
		return []linear{w.linear("head.0", h.Outputs, in)}
	}
	first, second := w.linear("head.0", h.Hidden, in), w.linear("head.1", h.Outputs, h.Hidden)
	first.activation = ragedge.ReLU
	return []linear{first, second}
}

// head is E7: logits = W_1 relu(W_0 vec(Z) + b_0) + b_1, or one layer, and their
// softmax for a classifier. An embed head has no layers.
func (s *State) head() {
	x := s.out.Z
	for i := range s.model.layers {
		y := s.hidden
		if i == len(s.model.layers)-1 {
			y = s.out.Logits
		}
		s.apply(&s.model.layers[i], matrix{y, len(y)}, x)
		x = y
	}
	if s.out.Probabilities != nil {
		ragedge.Softmax(s.out.Probabilities, s.out.Logits)
	}
}
