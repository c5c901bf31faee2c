// Package fusion is region-based attention gating: it fuses the regions of
// several modalities into one vector, and says how much each modality had to do
// with it.
//
//	model, err := fusion.Load("room.safetensors")
//	state := model.NewState()
//	out, err := state.Fuse(regions) // one Regions per modality, in model order
//
// A [Model] is a file, laid out as the weights of one step after the other, and
// never changes; a [State] holds the buffers of one inference at a time, and many
// States may share a Model. The equations E0 to
// E7 are numbered as in the project's description of the mechanism; [State.Fuse]
// calls them in order, one function each. Names in comments:
//
//	M   modalities, in model order
//	n_m regions (rows) of modality m in this input; 0 when it is absent
//	N_m the most it may have
//	d_m features of its regions
//	d   width: features of every region after E1; d_h those of one attention head
//	R   slots: the common regions on which modalities are aligned
//	S   gates (1 under a feature gate), G gate values per slot and modality (S, or d)
//	n   regions of all modalities
//	H   their features [n, d]; H^m those of one modality [n_m, d]
//	U   aligned regions [R, M, d] · A the gate · Ω the pooling
package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// Regions are the rows of one modality, row-major. The zero value is a modality
// that is absent.
type Regions struct {
	Rows, Features int
	Data           []float32 // [Rows, Features]
}

// Output is the outcome of one Fuse. The slices belong to the State and hold
// until its next Fuse.
type Output struct {
	// Slots is R, the number of slots this input was aligned on.
	Slots int
	// Z is the fused vector of every gate, [S, d]; one row per slot, [R, d],
	// when the model does not pool.
	Z []float32
	// Logits [C] are the outputs of the head, nil when it only embeds;
	// Probabilities [C] are set when it classifies.
	Logits, Probabilities []float32
	// Attention is A [R, M, G], which sums to 1 over the modalities.
	Attention []float32
	// Region is Ω [R, S], the weight of each slot.
	Region []float32
	// Share is each modality's part in the gate, [M], which sums to 1.
	Share []float32
}

// Fuse runs the model on one input, with one Regions per modality in model
// order. Values in rows beyond Rows are never read. It allocates nothing.
//
// Errors are of the kind [ErrInput]: ErrAllAbsent, ErrAnchorAbsent,
// ErrTooManyRows, ErrWrongFeatures, ErrNonFiniteInput, ErrUnknownInput,
// ErrBadLength and ErrOverflow.
func (s *State) Fuse(in []Regions) (*Output, error) {
	if err := s.accept(in); err != nil {
		return nil, err
	}
	s.project(in)     // E0, E1: H
	s.contextualise() // E2
	s.norm()          // E3: H̄
	s.align()         // E3: U
	s.score()         // E4: L
	s.gate()          // E5: A
	s.pool()          // E6: Ω, Z
	s.head()          // E7
	s.explain()       // share
	s.out.Slots = s.slots
	if !finite(s.out.Z) || !finite(s.out.Logits) {
		return nil, ErrOverflow
	}
	return &s.out, nil
}

// noughts are for finite.
var noughts [256]float32

// finite reports that no value is NaN or infinite. With 0 as the other factor, every
// other value adds 0 to the sum, and these add NaN.
func finite(values []float32) bool {
	for ; len(values) > len(noughts); values = values[len(noughts):] {
		if ragedge.Dot(values[:len(noughts)], noughts[:]) != 0 {
			return false
		}
	}
	return ragedge.Dot(values, noughts[:]) == 0
}

// nonFinite returns the index of the first NaN or infinity, -1 when there is none.
func nonFinite(values []float32) int {
	const exponent = 0xff << 23
	for i, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}
