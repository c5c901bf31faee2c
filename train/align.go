package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// alignment is E3: U^m = P^m H̄^m on R slots, where P^m is the identity, a fixed
// interpolation, or learned attention of the anchor's rows or of slots to the rows of m.
type alignment struct {
	how               string
	d, modalities     int
	anchor            int
	slots, dSlots     []float32 // Q [R, d] of align slots
	query, key        linear
	hasQuery, hasKey  bool
	score, dScore     []float32 // w [d]; nil: the dot score
	u, du             []float32 // [slots of all examples, M, d]
	anchors, dAnchors []float32 // rows of the anchor of all examples, before their projection
	q, dq             []float32 // Q of all examples [slots, d]; of align slots those of one
	k, dk             []float32 // K of all examples [rows, d]; H̄ itself without projection
	factors, dFactors []float32 // relu(K), hadamard score
	p                 []float32 // P^m of every example and modality, one after the other
	dp, columns       []float32 // dP^m, and P^m or dS as columns
	spare             []float32 // [rows, d]
	weighted, dWide   []float32
}

func (p *pass) newAlignment(examples, rows int) alignment {
	c, layout := &p.net.Config, p.net.Config.Layout()
	d, M, R := c.Width, len(c.Modalities), layout.MostSlots
	a := alignment{how: c.Align, d: d, modalities: M, anchor: layout.Anchor}
	a.u, a.du = p.take(examples*R*M*d), p.take(examples*R*M*d)
	a.spare = p.take(rows * d)
	if c.Align != "anchor" && c.Align != "slots" {
		return a
	}
	most := 0
	for _, m := range c.Modalities {
		most = max(most, m.Regions)
	}
	a.p, a.dp, a.columns = p.take(R*rows), p.take(R*most), p.take(R*most)
	a.q, a.dq = p.take(examples*R*d), p.take(examples*R*d)
	a.dWide = p.take(max(R, most) * d)
	if c.Align == "slots" {
		a.slots, a.dSlots = p.weight("align.slots"), p.gradient("align.slots")
	} else {
		a.anchors, a.dAnchors = p.take(examples*R*d), p.take(examples*R*d)
		a.query, a.hasQuery = p.linear("align.query", examples*R)
	}
	if a.key, a.hasKey = p.linear("align.key", rows); a.hasKey {
		a.k, a.dk = p.take(rows*d), p.take(rows*d)
	}
	if layout.HadamardAlign {
		a.score, a.dScore = p.weight("align.score"), p.gradient("align.score")
		a.factors, a.dFactors = p.take(rows*d), p.take(rows*d)
		a.weighted = p.take(R * d)
	}
	return a
}

// forward sets u from H̄ [rows, d].
func (a *alignment) forward(b *batch, h []float32) {
	clear(a.u[:b.slots*a.modalities*a.d])
	if a.how == "anchor" || a.how == "slots" {
		a.ask(b, h)
	}
	p := a.p
	for e := range b.size {
		for m := range a.modalities {
			rows, u := b.span(e, m), a.slot(a.u, b.slotsOf(e).first, m)
			switch {
			case rows.rows() == 0:
			case a.takes(m):
				a.takeRows(u, rows.of(h, a.d))
			case a.how == "resample":
				a.interpolate(u, rows.of(h, a.d), b.slotsOf(e).rows())
			default:
				p = p[a.attend(b, u, p, h, e, m):]
			}
		}
	}
}

// takes reports whether the rows of a modality are slots as they are.
func (a *alignment) takes(m int) bool {
	return a.how == "identity" || a.how == "anchor" && m == a.anchor
}

// slot returns u from a slot and modality on: slots are M·d values apart.
func (a *alignment) slot(u []float32, slot, m int) []float32 {
	return u[min((slot*a.modalities+m)*a.d, len(u)):]
}

func (a *alignment) takeRows(u, h []float32) {
	for stride := a.modalities * a.d; len(h) > 0; h = h[a.d:] {
		copy(u, h[:a.d])
		u = u[min(stride, len(u)):]
	}
}

// interpolate stretches or shrinks rows to R slots, as the engine does.
func (a *alignment) interpolate(u, h []float32, R int) {
	d := a.d
	for r := range R {
		row, part := position(r, len(h)/d, R)
		y := u[r*a.modalities*d:][:d]
		addScaled(y, h[row*d:(row+1)*d], 1-part)
		if part > 0 {
			addScaled(y, h[(row+1)*d:(row+2)*d], part)
		}
	}
}

// position is where slot r of R reads n rows: between a row and the next one, by the part.
func position(r, n, R int) (row int, part float32) {
	last := int64(max(R-1, 1))
	at := int64(r) * int64(n-1)
	return int(at / last), float32(at%last) / float32(last)
}

// ask computes the queries and keys of all examples.
func (a *alignment) ask(b *batch, h []float32) {
	a.keysFrom(h)
	if a.slots != nil {
		return
	}
	n := 0
	for e := range b.size {
		n += copy(a.anchors[n:], b.span(e, a.anchor).of(h, a.d))
	}
	if a.hasQuery {
		a.query.forward(a.q, a.anchors[:n])
		return
	}
	copy(a.q, a.anchors[:n])
}

func (a *alignment) keysFrom(h []float32) {
	if a.hasKey {
		a.key.forward(a.k, h)
	} else {
		a.k = h
	}
	if a.score != nil {
		ragedge.Relu(a.factors[:len(h)], a.k[:len(h)])
	}
}

// queries returns Q of an example [R, d].
func (a *alignment) queries(b *batch, e int) []float32 {
	if a.slots != nil {
		return a.slots
	}
	return b.slotsOf(e).of(a.q, a.d)
}

// root is 1/√d.
func (a *alignment) root() float32 { return float32(1 / math.Sqrt(float64(a.d))) }

// attend sets U^m of an example, and P^m at the beginning of p. It returns the size of P^m.
func (a *alignment) attend(b *batch, u, p, h []float32, e, m int) int {
	d, R, rows, q := a.d, b.slotsOf(e).rows(), b.span(e, m), a.queries(b, e)
	n := rows.rows()
	p = p[:R*n]
	if a.score == nil {
		ragedge.RowDots(p, q, rows.of(a.k, d), R, n, d, d, d, a.root())
	} else {
		weigh(a.weighted, q, a.score)
		ragedge.RowDots(p, a.weighted, rows.of(a.factors, d), R, n, d, d, d, 1)
	}
	softmaxRows(p, n)
	ragedge.WeightedRows(u, p, rows.of(h, d), R, n, d, a.modalities*d, d)
	return R * n
}
