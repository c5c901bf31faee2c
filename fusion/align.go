package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// alignment is how slots attend to the rows of a modality, under align anchor
// and slots:
//
//	U^m = softmax(S) H̄^m,  S_ij = Σ_k w_k Q_ik K_jk
//
// In the dot score w is 1/√d and K is H̄^m itself: its projection is part of the
// queries, because Q (H̄ W_kᵀ)ᵀ = (Q W_k) H̄ᵀ. In the hadamard score K is
// relu(H̄^m W_kᵀ).
type alignment struct {
	query *linear   // Q from the anchor's rows; nil: these rows
	slots []float32 // Q [R, d] of align slots, times w
	key   *linear   // K before relu, hadamard score; nil: the rows of H̄^m
	// weight is w [d], to be multiplied into the queries. It is nil where they have it
	// already, and where the products that absorb U take scale for it.
	weight []float32
	scale  float32
}

func newAlignment(c *Config, w weights) alignment {
	d := c.Width
	query, key := w["align.query.weight"], w["align.key.weight"]
	square := func(weight []float32) *linear {
		if weight == nil {
			return nil
		}
		l := newLinear(weight, nil, d, d)
		return &l
	}
	a := alignment{slots: w["align.slots"], weight: w["align.score"], scale: 1}
	root := float32(1 / math.Sqrt(float64(d)))
	if a.weight == nil && c.Align == alignAnchor && c.absorbs() {
		a.scale = root
	} else if a.weight == nil {
		a.weight = make([]float32, d)
		fill(a.weight, root)
	}
	switch {
	case c.Align == alignSlots:
		if key != nil {
			a.slots = product(a.slots, key, d)
		}
		weigh(a.slots, a.slots, a.weight)
	case c.Align == alignAnchor && c.hadamard(alignAnchor):
		a.query, a.key = square(query), square(key)
	case c.Align == alignAnchor && query != nil && key != nil:
		// Q_i W_k = x W_qᵀ W_k, so the two are one matrix W_kᵀ W_q.
		a.query = square(product(transposed(key, d, d), query, d))
	case c.Align == alignAnchor && key != nil:
		a.query = square(transposed(key, d, d))
	case c.Align == alignAnchor:
		a.query = square(query)
	}
	return a
}

// product returns a b for a [n, d] and b [d, d].
func product(a, b []float32, d int) []float32 {
	p := make([]float32, len(a))
	ragedge.WeightedRows(p, a, b, len(a)/d, d, d, d, d)
	return p
}

// align is E3: U^m [R, d] of every modality, 0 where (r, m) is not valid; or P^m [R,
// n_m] with U^m = P^m H̄^m, where U is absorbed.
func (s *State) align() {
	c := &s.model.Config
	switch c.Align {
	case alignIdentity:
		for m := range s.spans {
			s.takeRows(m)
		}
	case alignResample:
		for m := range s.spans {
			s.interpolate(m)
		}
	case alignAnchor:
		s.alignTo(s.model.anchor)
	case alignSlots:
		for m := range s.spans {
			s.gather(m, s.model.alignment.slots)
		}
	}
	if s.model.absorbed() {
		return
	}
	for m, filled := range s.filled {
		u := s.aligned(m)
		for r := filled; r < s.slots; r++ {
			clear(u.row(r, c.Width))
		}
	}
}

// takeRows makes every row of modality m a slot: U^m_r = H̄^m_r. They may be there
// already.
func (s *State) takeRows(m int) {
	if s.model.direct() {
		return
	}
	d := s.model.Config.Width
	u, h := s.aligned(m), s.part(m)
	for r := range s.rows[m] {
		copy(u.row(r, d), h.row(r, d))
	}
}

// interpolate stretches or shrinks the rows of modality m to R slots: slot r
// reads position r(n_m−1)/(R−1), and the first row when R is 1.
func (s *State) interpolate(m int) {
	d, last := s.model.Config.Width, int64(max(s.slots-1, 1))
	u, h := s.aligned(m), s.part(m)
	for r := range s.filled[m] {
		// Integers: a slot that falls on a row takes exactly that row.
		position := int64(r) * int64(s.rows[m]-1)
		row, part := int(position/last), position%last
		y := u.row(r, d)
		if part == 0 {
			copy(y, h.row(row, d))
			continue
		}
		fraction := float32(part) / float32(last)
		clear(y)
		ragedge.GatedSum(y, []float32{1 - fraction, fraction}, h.from(row).values)
	}
}

// alignTo takes the rows of the anchor as they are, and lets each attend to the
// rows of every other modality.
func (s *State) alignTo(anchor int) {
	a, h := &s.model.alignment, s.rowsOf(anchor)
	queries, anchors := h, s.anchors[:len(h)]
	if a.query != nil {
		s.apply(a.query, matrix{anchors, s.model.Config.Width}, queries)
		queries = anchors
	}
	if a.weight != nil {
		weigh(anchors, queries, a.weight)
		queries = anchors
	}
	for m := range s.spans {
		switch {
		case m != anchor:
			s.gather(m, queries)
		case !s.model.absorbed():
			s.takeRows(m)
		}
	}
}

// gather sets U^m, or P^m, to what the queries [R, d], which have the weight w in
// them, attend to in modality m.
func (s *State) gather(m int, queries []float32) {
	n := s.rows[m]
	if n == 0 {
		return
	}
	a, d, h := &s.model.alignment, s.model.Config.Width, s.rowsOf(m)
	factors := h
	if a.key != nil {
		factors = s.factors[:len(h)]
		s.apply(a.key, matrix{factors, d}, h)
		ragedge.Relu(factors, factors)
	}
	if s.model.absorbed() {
		p := s.weights[m][:s.slots*n]
		s.dots(p, queries, factors, s.slots, n, a.scale)
		softmaxRows(p, n)
		return
	}
	keys := s.keys[:n*d]
	transpose(matrix{keys, n}, matrix{factors, d}, n, d)
	s.attendTo(s.aligned(m), matrix{queries, d}, keys, h, n, s.slots)
}
