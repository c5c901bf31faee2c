package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// gating is what E4 needs: W_g [M·G, M·d], its rows in the order m·G+g, and b_g; or one
// of two other forms of W_g.
type gating struct {
	weight   []float32
	bias     []float32
	features *linear     // with b_g, of a feature gate, whose columns are many
	parts    [][]float32 // W_{g,m} [M·S, d] of each modality, where U is absorbed
}

func newGating(c *Config, w weights) gating {
	d, M := c.Width, len(c.Modalities)
	rows := M * c.gateSize()
	g := gating{weight: w["gate.weight"], bias: w["gate.bias"]}
	switch {
	case c.Gate == gateFeature:
		l := newLinear(g.weight, g.bias, rows, M*d)
		g.features, g.weight = &l, nil
	case c.absorbs():
		for m := range M {
			part := make([]float32, 0, rows*d)
			for row := range rows {
				at := (row*M + m) * d
				part = append(part, g.weight[at:at+d]...)
			}
			g.parts = append(g.parts, part)
		}
		g.weight = nil
	}
	return g
}

// score is E4: the logits L_r = [U^1_r ‖ … ‖ U^M_r] W_gᵀ + b_g of every slot, in the
// place of A: [R, M, G] of a feature gate, [M, S, R] of a shared one.
func (s *State) score() {
	R, M, d := s.slots, len(s.spans), s.model.Config.Width
	g := &s.model.gate
	switch columns := M * s.model.Config.gateSize(); {
	case M == 1: // nothing to weigh against
	case g.features != nil:
		s.apply(g.features, matrix{s.attention, columns}, s.u[:R*M*d])
	case g.parts != nil:
		s.scoreAbsorbed(matrix{s.attention[:R*columns], columns})
		transpose(matrix{s.a, R}, matrix{s.attention, columns}, R, columns)
	default:
		ragedge.RowDots(s.a, g.weight, s.u, columns, R, M*d, M*d, M*d, 1)
		for k, b := range g.bias {
			shift(s.a[k*R:(k+1)*R], b)
		}
	}
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
	d, sums := s.model.Config.Width, s.sums[:s.slots*columns]
	for m, n := range s.rows {
		if n == 0 {
			continue
		}
		terms := sums
		if m != s.model.taken() {
			terms = s.terms[:n*columns]
		}
		ragedge.RowDots(terms, s.rowsOf(m), s.model.gate.parts[m], n, columns, d, d, d, 1)
		if m != s.model.taken() {
			ragedge.WeightedRows(sums, s.weights[m], terms, s.slots, n, columns, columns, columns)
		}
		addTo(logits.values, sums)
	}
}

// gate is E5: A, the softmax of the logits over the modalities, −∞ where a modality
// has no region in the slot.
func (s *State) gate() {
	masked := float32(math.Inf(-1))
	R, M, G := s.slots, len(s.spans), s.model.Config.gateSize()
	given := s.attention[:R*M*G]
	if M == 1 { // every slot has it
		fill(given, 1)
		fill(s.a, 1)
		return
	}
	if s.model.gate.features != nil {
		for r := range R {
			a := given[r*M*G : (r+1)*M*G]
			for m, filled := range s.filled {
				if r >= filled {
					fill(a[m*G:(m+1)*G], masked)
				}
			}
			ragedge.SoftmaxColumns(a, M, G)
		}
		return
	}
	// All slots and gates at once.
	a := s.a[:M*G*R]
	for m, filled := range s.filled {
		for k := m * G; k < (m+1)*G && filled < R; k++ {
			fill(a[k*R+filled:(k+1)*R], masked)
		}
	}
	ragedge.SoftmaxColumns(a, M, G*R)
	transpose(matrix{given, M * G}, matrix{a, R}, M*G, R)
}

// gateOf returns A of modality m under gate k of a shared gate, [R].
func (s *State) gateOf(m, k int) []float32 {
	at := (m*s.model.Config.Gates + k) * s.slots
	return s.a[at : at+s.slots]
}
