package train

import "github.com/ragedge/ragedge"

// backward adds to dh the gradient of H̄, from du.
func (a *alignment) backward(b *batch, dh, h []float32) {
	learned := a.how == "anchor" || a.how == "slots"
	if learned {
		a.clearGradients(b, len(h))
	}
	p := a.p
	for e := range b.size {
		for m := range a.modalities {
			rows, du := b.span(e, m), a.slot(a.du, b.slotsOf(e).first, m)
			switch {
			case rows.rows() == 0:
			case a.takes(m):
				a.takeRowsBackward(rows.of(dh, a.d), du)
			case a.how == "resample":
				a.interpolateBackward(rows.of(dh, a.d), du, b.slotsOf(e).rows())
			default:
				p = p[a.attendBackward(b, du, p, dh, h, e, m):]
			}
		}
	}
	if learned {
		a.askBackward(b, dh, h)
	}
}

func (a *alignment) takeRowsBackward(dh, du []float32) {
	for stride := a.modalities * a.d; len(dh) > 0; dh = dh[a.d:] {
		addTo(dh[:a.d], du[:a.d])
		du = du[min(stride, len(du)):]
	}
}

func (a *alignment) interpolateBackward(dh, du []float32, R int) {
	d := a.d
	for r := range R {
		row, part := position(r, len(dh)/d, R)
		dy := du[r*a.modalities*d:][:d]
		addScaled(dh[row*d:(row+1)*d], dy, 1-part)
		if part > 0 {
			addScaled(dh[(row+1)*d:(row+2)*d], dy, part)
		}
	}
}

func (a *alignment) clearGradients(b *batch, size int) {
	if a.slots == nil {
		clear(a.dq[:b.slots*a.d])
	}
	if a.hasKey {
		clear(a.dk[:size])
	}
	if a.score != nil {
		clear(a.dFactors[:size])
	}
}

// attendBackward adds the gradients of U^m of an example to those of its queries, keys
// and rows. It returns the size of P^m, which is at the beginning of p.
func (a *alignment) attendBackward(b *batch, du, p, dh, h []float32, e, m int) int {
	d, stride, R, rows, q := a.d, a.modalities*a.d, b.slotsOf(e).rows(), b.span(e, m), a.queries(b, e)
	n := rows.rows()
	p = p[:R*n]
	ds, columns := a.dp[:R*n], a.columns[:R*n]
	ragedge.Transpose(columns, p, R, n, R, n)
	wide := a.dWide[:n*d]
	ragedge.WeightedRows(wide, columns, du, n, R, d, d, stride)
	addTo(rows.of(dh, d), wide)

	dq := a.dSlots
	if a.slots == nil {
		dq = b.slotsOf(e).of(a.dq, d)
	}
	ragedge.RowDots(ds, du, rows.of(h, d), R, n, d, stride, d, 1)
	if a.score != nil {
		softmaxBackward(ds, p, n, 1)
		hadamardBackward(hadamard{
			q: q, factors: rows.of(a.factors, d), score: a.score,
			dq: dq, dFactors: rows.of(a.dFactors, d), dScore: a.dScore,
			weighted: a.weighted, wide: a.dWide, columns: columns,
		}, ds, R, n)
		return R * n
	}
	softmaxBackward(ds, p, n, a.root())
	wide = a.dWide[:R*d]
	ragedge.WeightedRows(wide, ds, rows.of(a.k, d), R, n, d, d, d)
	addTo(dq, wide)
	dk := rows.of(dh, d)
	if a.hasKey {
		dk = rows.of(a.dk, d)
	}
	ragedge.Transpose(columns, ds, R, n, R, n)
	wide = a.dWide[:n*d]
	ragedge.WeightedRows(wide, columns, q, n, R, d, d, d)
	addTo(dk, wide)
	return R * n
}

// askBackward adds to dh the gradients that came by way of queries and keys.
func (a *alignment) askBackward(b *batch, dh, h []float32) {
	if a.score != nil { // it has both projections
		copy(a.dk, a.dFactors[:len(h)])
		reluBackward(a.dk[:len(h)], a.k[:len(h)])
	}
	if a.hasKey {
		spare := a.spare[:len(h)]
		a.key.backward(spare, a.dk[:len(h)], h)
		addTo(dh, spare)
	}
	if a.slots != nil {
		return
	}
	n := b.slots * a.d
	dAnchors := a.dq[:n]
	if a.hasQuery {
		dAnchors = a.dAnchors[:n]
		a.query.backward(dAnchors, a.dq[:n], a.anchors[:n])
	}
	for e := range b.size {
		to := b.span(e, a.anchor).of(dh, a.d)
		addTo(to, dAnchors[:len(to)])
		dAnchors = dAnchors[len(to):]
	}
}
