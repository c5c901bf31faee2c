package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// score is E4: the logits L_r = [U^1_r ‖ … ‖ U^M_r] W_gᵀ + b_g of every slot, in
// the place of A; −∞ where a modality has no region in the slot.
func (s *State) score() {
	M, G := len(s.spans), s.model.Config.gateSize()
	s.model.gate.apply(s.a[:s.slots*M*G], s.u[:s.slots*M*s.model.Config.Width])
	masked := float32(math.Inf(-1))
	for m, filled := range s.filled {
		for r := filled; r < s.slots; r++ {
			fill(s.a[(r*M+m)*G:(r*M+m+1)*G], masked)
		}
	}
}

// gate is E5: A [R, M, G], the softmax of the logits over the modalities.
func (s *State) gate() {
	c := &s.model.Config
	M, G, S := len(s.spans), c.gateSize(), c.gateCount()
	a := s.a[:s.slots*M*G]
	softmaxColumns(a, M, G, s.column)
	if S > 1 { // in the order in which it is used: [S, R, M]
		transpose(matrix{s.gates, s.slots * M}, matrix{a, S}, s.slots*M, S)
	}
}

// softmaxColumns replaces every column of every matrix in a […, rows, columns] by
// its softmax. The buffer holds a column.
func softmaxColumns(a []float32, rows, columns int, buffer []float32) {
	if columns == 1 {
		softmaxRows(a, rows)
		return
	}
	for ; len(a) > 0; a = a[rows*columns:] {
		for j := range columns {
			for i := range buffer {
				buffer[i] = a[i*columns+j]
			}
			ragedge.Softmax(buffer, buffer)
			for i, v := range buffer {
				a[i*columns+j] = v
			}
		}
	}
}
