package fusion

import "github.com/ragedge/ragedge"

// head is E7: logits = W_1 relu(W_0 vec(Z) + b_0) + b_1, or one layer, and their
// softmax for a classifier. An embed head has no layers.
func (s *State) head() {
	x := s.out.Z
	for i := range s.model.layers {
		y := s.hidden
		if i == len(s.model.layers)-1 {
			y = s.out.Logits
		}
		s.model.layers[i].apply(y, x)
		if i < len(s.model.layers)-1 {
			relu(y)
		}
		x = y
	}
	if s.out.Probabilities != nil {
		ragedge.Softmax(s.out.Probabilities, s.out.Logits)
	}
}

func relu(x []float32) {
	for i, v := range x {
		x[i] = max(v, 0)
	}
}
