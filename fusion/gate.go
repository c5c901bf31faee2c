package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// gate scores a slot from the features of all modalities side by side: W_g, with
// its rows in the order m·G+g.
//
// The two gates keep A in the order in which it is used: the shared gate as
// [S, R, M], so that the modalities of all slots of one gate are the gates of one
// sum over U [R, M, d]; the feature gate as [R, M, d], value by value beside U.
type gate struct {
	feature bool
	shared  []float32 // W_g [M·S, M·d] of a shared gate, with bias
	bias    []float32 // [M·S]
	values  linear    // W_g and its bias of a feature gate
	ones    []float32 // [d], all 1
}

func newGate(c *Config, weights map[string][]float32, ones []float32) gate {
	weight, bias := weights["gate.weight"], weights["gate.bias"]
	if c.Gate == gateFeature {
		return gate{feature: true, values: newLinear(weight, bias, len(bias), len(c.Modalities)*c.Width), ones: ones}
	}
	return gate{shared: weight, bias: bias}
}

// score is E4: the logits L_r = [U^1_r ‖ … ‖ U^M_r] W_gᵀ + b_g, −∞ where a
// modality has no region in the slot, in the place of A.
func (s *State) score() {
	if s.model.gate.feature {
		s.scoreFeatures()
	} else {
		s.scoreShared()
	}
}

var masked = float32(math.Inf(-1))

func (s *State) scoreShared() {
	g := &s.model.gate
	S, in := s.model.Config.gateCount(), len(s.slot(0))
	for k := range S {
		for r := range s.slots {
			logits, u := s.shared(k, r), s.slot(r)
			for m := range logits {
				if r >= s.filled[m] {
					logits[m] = masked
					continue
				}
				row := m*S + k
				logits[m] = g.bias[row] + ragedge.Dot(g.shared[row*in:(row+1)*in], u)
			}
		}
	}
}

func (s *State) scoreFeatures() {
	d := s.model.Config.Width
	for r := range s.slots {
		logits := s.features(r)
		s.model.gate.values.apply(logits, s.slot(r))
		for m := range s.h {
			if r >= s.filled[m] {
				fill(logits[m*d:(m+1)*d], masked)
			}
		}
	}
}

// gate is E5: A, the softmax of the logits over the modalities.
func (s *State) gate() {
	if !s.model.gate.feature {
		for k := range s.model.Config.gateCount() {
			for r := range s.slots {
				a := s.shared(k, r)
				ragedge.Softmax(a, a)
			}
		}
		return
	}
	d, column := s.model.Config.Width, s.column
	for r := range s.slots {
		a := s.features(r)
		for j := range d {
			for m := range column {
				column[m] = a[m*d+j]
			}
			ragedge.Softmax(column, column)
			for m, v := range column {
				a[m*d+j] = v
			}
		}
	}
}

// shared returns A of gate k in slot r, [M], under a shared gate.
func (s *State) shared(k, r int) []float32 {
	M := len(s.h)
	at := (k*s.slots + r) * M
	return s.a[at : at+M]
}

// features returns A of slot r, [M, d], under a feature gate.
func (s *State) features(r int) []float32 {
	n := len(s.slot(0))
	return s.a[r*n : (r+1)*n]
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
