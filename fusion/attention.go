package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// attention is how slots attend to the rows of a modality, under align anchor
// and slots:
//
//	U^m = softmax(S) H̄^m,  S_ij = scale · Q_i · K_j
//
// In the dot score K is H̄^m itself: its projection is part of the queries,
// because Q (H̄ W_kᵀ)ᵀ = (Q W_k) H̄ᵀ. In the hadamard score
//
//	S_ij = Σ_k w_k Q_ik relu(K_jk),  K = H̄^m W_kᵀ
//
// w is part of the queries and the scale is 1.
type attention struct {
	query *linear   // Q from the anchor's rows; nil: these rows
	slots []float32 // Q [R, d] of align slots
	key   *linear   // K before relu, hadamard score; nil: the rows of H̄^m
	scale float32
}

func newAttention(c *Config, weights map[string][]float32) attention {
	d := c.Width
	query, key := weights["align.query.weight"], weights["align.key.weight"]
	square := func(weight []float32) *linear {
		if weight == nil {
			return nil
		}
		l := newLinear(weight, nil, d, d)
		return &l
	}
	a := attention{scale: float32(1 / math.Sqrt(float64(d))), slots: weights["align.slots"]}
	switch {
	case a.slots != nil && key != nil:
		a.slots = product(a.slots, key, d)
	case c.Align == alignAnchor && c.hadamard(alignAnchor):
		for i := range query {
			query[i] *= weights["align.score"][i/d]
		}
		a.query, a.key, a.scale = square(query), square(key), 1
	case c.Align == alignAnchor && query != nil && key != nil:
		// Q_i W_k = x W_qᵀ W_k, so the two are one matrix W_kᵀ W_q.
		a.query = square(product(transpose(key, d, d), query, d))
	case c.Align == alignAnchor && key != nil:
		a.query = square(transpose(key, d, d))
	case c.Align == alignAnchor:
		a.query = square(query)
	}
	return a
}

// product returns a b for a [n, d] and b [d, d].
func product(a, b []float32, d int) []float32 {
	p := make([]float32, len(a))
	for i := 0; i < len(a); i += d {
		ragedge.GatedSum(p[i:i+d], a[i:i+d], b)
	}
	return p
}

// applyRows applies l to every row of h, into the buffer; nil leaves the rows as
// they are.
func (l *linear) applyRows(buffer, h []float32) []float32 {
	if l == nil {
		return h
	}
	y := buffer[:len(h)]
	for i := 0; i < len(h); i += l.in {
		l.apply(y[i:i+l.out], h[i:i+l.in])
	}
	return y
}

// attend sets U^m from the queries [R, d].
func (s *State) attend(m int, queries []float32) {
	a, d := &s.model.attention, s.model.Config.Width
	keys := a.key.applyRows(s.keys, s.h[m])
	if a.key != nil {
		relu(keys)
	}
	scores := s.scores[:s.rows[m]]
	for r := range s.filled[m] {
		query := queries[r*d : (r+1)*d]
		for i := range scores {
			scores[i] = a.scale * ragedge.Dot(query, keys[i*d:(i+1)*d])
		}
		ragedge.Softmax(scores, scores)
		u := s.aligned(r, m)
		clear(u)
		ragedge.GatedSum(u, scores, s.h[m])
	}
}
