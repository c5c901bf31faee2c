package train

import (
	"math"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
)

// attention is P V of a block, head by head and example by example:
//
//	P = softmax(S), S_ij = Q_i·K_j/√d_h, or with the hadamard score Σ_k w_k Q_ik relu(K_jk)
//
// with −∞ where row i may not attend to row j. A row that may attend to nothing gets 0.
type attention struct {
	kind              string
	d, heads, anchor  int
	score, dScore     []float32 // w [h, d]; nil: the dot score
	q, k, v           []float32 // [rows, d]
	context           []float32 // P V [rows, d]
	p                 []float32 // P of every group and head, one after the other
	groups            []group
	dp, columns       []float32 // dP, and P or dS as columns, of one group
	weighted, factors []float32 // Q w of one head and relu(K) [rows, d]
	dWide, dFactors   []float32 // a gradient of Q w, and of relu(K) [rows, d]
}

// group is rows that attend to rows, all of one example.
type group struct {
	example     int
	asks, asked span
}

func (p *pass) newAttention(name string, kind fusion.Block, examples, rows int) attention {
	c := &p.net.Config
	a := attention{
		kind: kind.Kind, d: c.Width, heads: c.Heads, anchor: c.Layout().Anchor,
		q: p.take(rows * c.Width), k: p.take(rows * c.Width), v: p.take(rows * c.Width), context: p.take(rows * c.Width),
		groups: make([]group, 0, examples*len(c.Modalities)),
	}
	n, most, total := rows/examples, 0, 0 // of an example
	switch kind.Kind {
	case "intra":
		for _, m := range c.Modalities {
			most, total = max(most, m.Regions*m.Regions), total+m.Regions*m.Regions
		}
	case "one way":
		most = n * c.Modalities[a.anchor].Regions
		total = most
	default:
		most, total = n*n, n*n
	}
	a.p, a.dp, a.columns = p.take(examples*c.Heads*total), p.take(most), p.take(most)
	if kind.Hadamard {
		a.score, a.dScore = p.weight(name+".attention.score"), p.gradient(name+".attention.score")
		a.weighted, a.factors = p.take(rows*c.Width), p.take(rows*c.Width)
		a.dWide, a.dFactors = p.take(rows*c.Width), p.take(rows*c.Width)
	}
	return a
}

// group lists who attends to whom.
func (a *attention) group(b *batch) {
	a.groups = a.groups[:0]
	add := func(e int, asks, asked span) {
		if asks.rows() > 0 {
			a.groups = append(a.groups, group{e, asks, asked})
		}
	}
	for e := range b.size {
		switch a.kind {
		case "intra":
			for m := range b.x {
				add(e, b.span(e, m), b.span(e, m))
			}
		case "one way":
			add(e, b.span(e, a.anchor), b.all(e))
		default:
			add(e, b.all(e), b.all(e))
		}
	}
}

// mask sets scores of rows with rows of their own modality to −∞ where that is not
// allowed.
func (a *attention) mask(b *batch, g group, scores []float32) {
	if a.kind != "cross" && a.kind != "one way" {
		return
	}
	n := g.asked.rows()
	for m := range b.x {
		own := b.span(g.example, m)
		for i := max(own.first, g.asks.first); i < min(own.end, g.asks.end); i++ {
			row := scores[(i-g.asks.first)*n:]
			fill(row[own.first-g.asked.first:own.end-g.asked.first], float32(math.Inf(-1)))
		}
	}
}

// forward sets the context from q, k and v.
func (a *attention) forward(b *batch) {
	a.group(b)
	d, size := a.d, a.d/a.heads
	used := b.rows * d
	clear(a.context[:used])
	if a.score != nil {
		ragedge.Relu(a.factors[:used], a.k[:used])
	}
	root, p := float32(1/math.Sqrt(float64(size))), a.p
	for _, g := range a.groups {
		rows, n := g.asks.rows(), g.asked.rows()
		for head := range a.heads {
			s, at := p[:rows*n], head*size
			p = p[rows*n:]
			if a.score == nil {
				ragedge.RowDots(s, a.q[g.asks.first*d+at:], a.k[g.asked.first*d+at:], rows, n, size, d, d, root)
			} else {
				weighted := a.weighted[:rows*d]
				weigh(weighted, g.asks.of(a.q, d), a.score[head*d:(head+1)*d])
				ragedge.RowDots(s, weighted, a.factors[g.asked.first*d:], rows, n, d, d, d, 1)
			}
			a.mask(b, g, s)
			softmaxRows(s, n)
			ragedge.WeightedRows(a.context[g.asks.first*d+at:], s, a.v[g.asked.first*d+at:], rows, n, size, d, d)
		}
	}
}

// backward sets dq, dk and dv from the gradient of the context.
func (a *attention) backward(b *batch, dq, dk, dv, dContext []float32) {
	clear(dq)
	clear(dk)
	clear(dv)
	d, size := a.d, a.d/a.heads
	if a.score != nil {
		clear(a.dFactors[:len(dk)])
	}
	root, p := float32(1/math.Sqrt(float64(size))), a.p
	for _, g := range a.groups {
		rows, n := g.asks.rows(), g.asked.rows()
		for head := range a.heads {
			weights, at := p[:rows*n], head*size
			p = p[rows*n:]
			asks, asked := g.asks.first*d+at, g.asked.first*d+at
			ds, columns := a.dp[:rows*n], a.columns[:rows*n]
			ragedge.Transpose(columns, weights, rows, n, rows, n)
			ragedge.WeightedRows(dv[asked:], columns, dContext[asks:], n, rows, size, d, d)
			ragedge.RowDots(ds, dContext[asks:], a.v[asked:], rows, n, size, d, d, 1)
			if a.score != nil {
				softmaxBackward(ds, weights, n, 1)
				a.hadamardBackward(g, head, dq, ds)
				continue
			}
			softmaxBackward(ds, weights, n, root)
			ragedge.Transpose(columns, ds, rows, n, rows, n)
			ragedge.WeightedRows(dq[asks:], ds, a.k[asked:], rows, n, size, d, d)
			ragedge.WeightedRows(dk[asked:], columns, a.q[asks:], n, rows, size, d, d)
		}
	}
	if a.score != nil {
		copy(dk, a.dFactors[:len(dk)])
		reluBackward(dk, a.k[:len(dk)])
	}
}

// hadamardBackward adds the gradients of the scores of a head to dq, dFactors and dScore.
func (a *attention) hadamardBackward(g group, head int, dq, ds []float32) {
	d, rows, n := a.d, g.asks.rows(), g.asked.rows()
	score, dScore := a.score[head*d:(head+1)*d], a.dScore[head*d:(head+1)*d]
	q := g.asks.of(a.q, d)
	hadamardBackward(hadamard{
		q: q, factors: a.factors[g.asked.first*d:], score: score,
		dq: g.asks.of(dq, d), dFactors: g.asked.of(a.dFactors, d), dScore: dScore,
		weighted: a.weighted[:rows*d], wide: a.dWide, columns: a.columns,
	}, ds, rows, n)
}
