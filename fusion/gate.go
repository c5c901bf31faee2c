package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// score is E4: the logits L_r = [U^1_r ‖ … ‖ U^M_r] W_gᵀ + b_g of every slot, in
// the place of A as it is given out, [R, M, G].
func (s *State) score() {
	columns := s.model.gate.weight.Out() // M·G
	logits := matrix{s.attention[:s.slots*columns], columns}
	if s.model.absorbed() {
		s.scoreAbsorbed(logits)
		return
	}
	s.apply(&s.model.gate, logits, s.u[:s.slots*s.model.gate.weight.In()])
}

// scoreAbsorbed takes the logits from the rows and not from U:
//
//	L = Σ_m P^m (H̄^m W_{g,m}ᵀ) + b_g, W_{g,m} being the columns of W_g for modality m
//
// U^m being P^m H̄^m, and P^m of the anchor 1.
func (s *State) scoreAbsorbed(logits matrix) {
	columns := logits.stride
	for r := range s.slots {
		copy(logits.row(r, columns), s.model.gate.bias)
	}
	for m, n := range s.rows {
		h := s.part(m).values[:n*s.model.Config.Width]
		switch {
		case n == 0:
		case m == s.model.taken():
			s.add(&s.model.gates[m], logits, h)
		default:
			terms, sums := s.terms[:n*columns], s.sums[:s.slots*columns]
			s.apply(&s.model.gates[m], matrix{terms, columns}, h)
			ragedge.WeightedRows(sums, s.weights[m], terms, s.slots, n, columns, columns, columns)
			addTo(logits.values, sums)
		}
	}
}

// gate is E5: A, the softmax of the logits over the modalities, −∞ where a modality
// has no region in the slot.
func (s *State) gate() {
	masked := float32(math.Inf(-1))
	R, M, d := s.slots, len(s.spans), s.model.Config.Width
	if s.model.Config.Gate == gateFeature {
		for r := range R {
			a := s.attention[r*M*d : (r+1)*M*d]
			for m, filled := range s.filled {
				if r >= filled {
					fill(a[m*d:(m+1)*d], masked)
				}
			}
			ragedge.SoftmaxColumns(a, M, d)
		}
		return
	}
	// All slots and gates at once, as columns of [M, S, R].
	S := s.model.Config.Gates
	given, a := matrix{s.attention, M * S}, s.a[:M*S*R]
	transpose(matrix{a, R}, given, R, M*S)
	for m, filled := range s.filled {
		for k := m * S; k < (m+1)*S; k++ {
			fill(a[k*R+filled:(k+1)*R], masked)
		}
	}
	ragedge.SoftmaxColumns(a, M, S*R)
	transpose(given, matrix{a, R}, M*S, R)
}

// gateOf returns A of modality m under gate k of a shared gate, [R].
func (s *State) gateOf(m, k int) []float32 {
	at := (m*s.model.Config.Gates + k) * s.slots
	return s.a[at : at+s.slots]
}
