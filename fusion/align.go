package fusion

import "github.com/ragedge/ragedge"

// align is E3: U^m [R, d] of every modality, 0 where (r, m) is not valid.
func (s *State) align() {
	c := &s.model.Config
	switch c.Align {
	case alignIdentity:
		for m := range s.h {
			s.takeRows(m)
		}
	case alignResample:
		for m := range s.h {
			s.interpolate(m)
		}
	case alignAnchor:
		s.attendFrom(c.Index(c.Anchor))
	case alignSlots:
		for m := range s.h {
			s.attend(m, s.model.attention.slots)
		}
	}
	for m, filled := range s.filled {
		for r := filled; r < s.slots; r++ {
			clear(s.aligned(r, m))
		}
	}
}

// takeRows makes every row of modality m a slot: U^m_r = H̄^m_r.
func (s *State) takeRows(m int) {
	for r := range s.rows[m] {
		copy(s.aligned(r, m), s.row(m, r))
	}
}

// interpolate stretches or shrinks the rows of modality m to R slots: slot r
// reads position r(n_m−1)/(R−1), and the first row when R is 1.
func (s *State) interpolate(m int) {
	last := int64(max(s.slots-1, 1))
	for r := range s.filled[m] {
		// Integers: a slot that falls on a row takes exactly that row.
		position := int64(r) * int64(s.rows[m]-1)
		row, part := int(position/last), position%last
		u := s.aligned(r, m)
		if part == 0 {
			copy(u, s.row(m, row))
			continue
		}
		fraction := float32(part) / float32(last)
		clear(u)
		ragedge.GatedSum(u, []float32{1 - fraction, fraction}, s.h[m][row*len(u):])
	}
}

// attendFrom takes the rows of the anchor as they are, and lets each attend to
// the rows of every other modality.
func (s *State) attendFrom(anchor int) {
	queries := s.model.attention.query.applyRows(s.queries, s.h[anchor])
	for m := range s.h {
		if m == anchor {
			s.takeRows(m)
		} else {
			s.attend(m, queries)
		}
	}
}
