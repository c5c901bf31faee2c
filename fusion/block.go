package fusion

import (
	"math"
	"strconv"

	"github.com/ragedge/ragedge"
)

// block is one block of E2, all of it pre-norm:
//
//	H ← H + (P V) W_oᵀ + b_o,  Q, K, V = LN1(H) W_{q,k,v}ᵀ + b,  P = softmax(S)
//	H ← H + act(LN2(H) W_1ᵀ + b_1) W_2ᵀ + b_2
//
// S_ij = Q_i·K_j / √d_h per head, the root being part of W_q; or with the
// hadamard score S_ij = Σ_k w_k Q_ik relu(K_jk), Q and K of full width.
type block struct {
	kind     string // blockSelf, …
	norm1    layerNorm
	query    linear
	keyValue linear    // W_k over W_v
	score    []float32 // w [h, d]; nil: the dot score
	output   linear
	norm2    layerNorm
	expand   linear // W_1 and the activation
	contract linear // W_2
}

func newBlock(c *Config, i int, kind string, w weights) block {
	d, name := c.Width, "block."+strconv.Itoa(i)
	attention := name + ".attention."
	norm := func(name string) layerNorm {
		return layerNorm{w[name+".weight"], w[name+".bias"]}
	}
	if !c.hadamard(kind) {
		root := float32(1 / math.Sqrt(float64(d/c.Heads)))
		scale(w[attention+"query.weight"], root)
		scale(w[attention+"query.bias"], root)
	}
	b := block{
		kind:  kind,
		norm1: norm(name + ".norm1"),
		query: w.linear(attention+"query", d, d),
		keyValue: newLinear(
			append(w[attention+"key.weight"], w[attention+"value.weight"]...),
			append(w[attention+"key.bias"], w[attention+"value.bias"]...), 2*d, d),
		score:    w[attention+"score"],
		output:   w.linear(attention+"output", d, d),
		norm2:    norm(name + ".norm2"),
		expand:   w.linear(name+".ffn.0", c.FFN, d),
		contract: w.linear(name+".ffn.1", d, c.FFN),
	}
	b.expand.activation = activationOf(c.Activation)
	return b
}

// contextualise is E2.
func (s *State) contextualise() {
	for i := range s.model.blocks {
		s.block(&s.model.blocks[i])
	}
}

// block lets all rows attend to all, to those of their modality or to the others. What
// the first block does to a modality alone may be there already.
func (s *State) block(b *block) {
	h := s.all.of(s.stack, s.model.Config.Width)
	switch b.kind {
	case blockSelf:
		s.blockAlone(b, h)
	case blockIntra:
		for m := range s.spans {
			if b != &s.model.blocks[0] || !s.settles(m) {
				s.blockAlone(b, s.rowsOf(m))
			}
		}
	default:
		s.attend(b, h)
		s.feedForward(b, h)
	}
}

// blockAlone lets the rows of h [n, d] attend to each other.
func (s *State) blockAlone(b *block, h []float32) {
	d := s.model.Config.Width
	all := span{0, len(h) / d}
	if all.end == 0 {
		return
	}
	x := s.normed[:len(h)]
	b.norm1.apply(x, h)
	s.apply(&b.query, matrix{s.queries, d}, x)
	s.apply(&b.keyValue, matrix{s.keyValue, 2 * d}, x)
	s.attendFrom(b, all, [2]span{all})
	s.add(&b.output, h, all.of(s.context, d), x)
	s.feedForward(b, h)
}

// feedForward adds act(LN2(h) W_1ᵀ + b_1) W_2ᵀ + b_2 to h [n, d].
func (s *State) feedForward(b *block, h []float32) {
	d, ffn := s.model.Config.Width, b.expand.weight.Out()
	x, inner := s.normed[:len(h)], s.ffn[:len(h)/d*ffn]
	b.norm2.apply(x, h)
	s.apply(&b.expand, matrix{inner, ffn}, x)
	s.add(&b.contract, h, inner, x)
}

// attend adds (P V) W_oᵀ + b_o to h, the rows of all modalities, in a block where they
// attend to others.
func (s *State) attend(b *block, h []float32) {
	d, asking, asked := s.model.Config.Width, s.all, [2]span{s.all}
	x := s.normed[:len(h)]
	b.norm1.apply(x, h)
	if b.kind == blockOneWay {
		anchor := s.model.anchor
		asking, asked = s.spans[anchor], s.others(anchor)
		for _, rest := range asked { // nobody to attend to: their P V is 0
			addRow(rest.of(h, d), b.output.bias)
		}
	}
	s.apply(&b.query, matrix{asking.of(s.queries, d), d}, asking.of(x, d))
	for _, keys := range asked {
		s.apply(&b.keyValue, matrix{keys.of(s.keyValue, 2*d), 2 * d}, keys.of(x, d))
	}
	if b.kind == blockOneWay {
		s.attendFrom(b, asking, asked)
	} else {
		for m, own := range s.spans {
			s.attendFrom(b, own, s.others(m))
		}
	}
	s.add(&b.output, asking.of(h, d), asking.of(s.context, d), x)
}

// others returns the rows of H that are not of modality m.
func (s *State) others(m int) [2]span {
	return [2]span{{0, s.spans[m].first}, {s.spans[m].end, s.all.end}}
}

// attendFrom sets the context of the asking rows to P V over the rows asked.
func (s *State) attendFrom(b *block, asking span, asked [2]span) {
	d, heads := s.model.Config.Width, s.model.Config.Heads
	size, rows, n := d/heads, asking.rows(), asked[0].rows()+asked[1].rows()
	context, queries := asking.of(s.context, d), asking.of(s.queries, d)
	if n == 0 || rows == 0 {
		clear(context)
		return
	}
	if b.score == nil && n <= columnKeys {
		s.attendColumns(context, queries, asked, n, size)
		return
	}
	s.pack(asked, n, size)
	if b.score != nil {
		ragedge.Relu(s.keys[:n*d], s.keys[:n*d])
	}
	for head := range heads {
		at := head * size
		y, values := matrix{context[at:], d}, s.panels[at*n:(at+size)*n]
		if b.score == nil {
			s.attendTo(y, matrix{queries[at:], d}, s.keys[at*n:(at+size)*n], values, n, rows)
			continue
		}
		weighted := s.weighted[:len(queries)]
		weigh(weighted, queries, b.score[head*d:(head+1)*d])
		s.attendTo(y, matrix{weighted, d}, s.keys[:n*d], values, n, rows)
	}
}

// pack lays out the n rows of K and V that are asked as attention wants them: Kᵀ
// [d, n], which is the Kᵀ [d_h, n] of one head after the other, and V [n, d_h] of
// one head after the other.
func (s *State) pack(asked [2]span, n, size int) {
	d, at := s.model.Config.Width, 0
	for _, rows := range asked {
		kv := matrix{rows.of(s.keyValue, 2*d), 2 * d}
		transpose(matrix{s.keys[at:], n}, kv, rows.rows(), d)
		for i := range rows.rows() {
			v := kv.row(i, 2*d)[d:]
			for head := 0; head < d; head += size {
				copy(s.panels[head*n+at*size:], v[head:head+size])
			}
			at++
		}
	}
}
