package fusion

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// oracle computes E0 to E7 a second time, in float64, from the tensors of the
// file, with a bound on what float32 may make of each value.
type oracle struct {
	c Config
	w map[string][]num

	counts []int
	U      [][][]num // [R][M][d]
	sizes  [][][]num // of the terms that add up to each value of U
	valid  [][]bool  // [R][M]
	A      [][][]num // [R][M][G]
	Omega  [][]num   // [R][S]

	z, logits, probabilities, share []num
}

func newOracle(c Config, w weights) *oracle {
	o := &oracle{c: c, w: map[string][]num{}}
	for name, values := range w {
		o.w[name] = exacts(values)
	}
	return o
}

// start is E0 and E1: H^m of every modality.
func (o *oracle) start(in []Regions) [][][]num {
	var H [][][]num
	for i, x := range in {
		o.counts = append(o.counts, x.Rows)
		H = append(H, nil)
		for r := range x.Rows {
			H[i] = append(H[i], o.project(i, exacts(x.Data[r*x.Features:(r+1)*x.Features]), r))
		}
	}
	return H
}

// finish is E3 to E7.
func (o *oracle) finish(t testing.TB, H [][][]num) {
	if o.c.Norm {
		for _, h := range H {
			for i := range h {
				h[i] = o.layerNorm("norm", h[i])
			}
		}
	}
	o.align(t, H)
	o.gate()
	o.pool()
	o.head()
	o.explain()
}

// matrix returns row i of a tensor with d columns.
func (o *oracle) matrix(name string, i, d int) []num { return o.w[name][i*d : (i+1)*d] }

// times is x Wᵀ + b; the bias is optional.
func (o *oracle) times(name string, x []num, out int) []num {
	y := make([]num, out)
	for j := range y {
		if b := o.w[name+".bias"]; b != nil {
			y[j] = b[j]
		}
		y[j] = sum(y[j], x, o.matrix(name+".weight", j, len(x)))
	}
	return y
}

// project is E0 and E1, for row r of a modality.
func (o *oracle) project(m int, x []num, r int) []num {
	c, name := &o.c, o.c.Modalities[m].Name
	mean, std := o.w["input."+name+".mean"], o.w["input."+name+".std"]
	for j := range x {
		if mean != nil {
			x[j] = mul(add(x[j], num{-mean[j].v, mean[j].e}), inverse(std[j]))
		}
	}
	h := make([]num, c.Width)
	for j := range h {
		for _, term := range [][]num{o.w["project."+name+".bias"], o.w["modality."+name]} {
			if term != nil {
				h[j] = add(h[j], term[j])
			}
		}
		if p := o.w["position."+name]; p != nil {
			h[j] = add(h[j], p[r*c.Width+j])
		}
		if c.Projection == projectNone {
			h[j] = add(h[j], x[j])
			continue
		}
		weights := o.matrix("project."+name+".weight", j, len(x))
		if mean != nil { // one more rounding: 1/std is multiplied into the weights
			scaled := make([]num, len(x))
			for k, w := range weights {
				scaled[k] = w.rounded(1, w.most())
			}
			weights = scaled
		}
		h[j] = sum(h[j], x, weights)
	}
	return h
}

func (o *oracle) layerNorm(name string, x []num) []num {
	d := len(x)
	h := make([]num, d)
	ones := exacts(make([]float32, d))
	for j := range ones {
		ones[j].v = 1
	}
	over := num{v: 1 / float64(d)}.rounded(1, 1/float64(d))
	mean := mul(sum(num{}, x, ones), over)
	for j := range h {
		h[j] = add(x[j], num{-mean.v, mean.e})
	}
	scale := inverseRoot(mul(sum(num{}, h, h), over))
	for j := range h {
		h[j] = add(mul(mul(h[j], scale), o.w[name+".weight"][j]), o.w[name+".bias"][j])
	}
	return h
}

// align is E3.
func (o *oracle) align(t testing.TB, H [][][]num) {
	c := &o.c
	R := c.slots(o.counts)
	for r := range R {
		U, sizes, valid := make([][]num, len(H)), make([][]num, len(H)), make([]bool, len(H))
		for m, h := range H {
			U[m] = make([]num, c.Width)
			valid[m] = len(h) > 0
			switch {
			case c.Align == alignIdentity || c.Align == alignAnchor && c.Modalities[m].Name == c.Anchor:
				if valid[m] = r < len(h); valid[m] {
					U[m] = h[r]
				}
			case !valid[m]:
			case c.Align == alignResample:
				U[m] = interpolated(h, r, R)
			default:
				p := softmaxOf(o.scores(t, H, m, r), always(len(h)))
				sizes[m] = make([]num, c.Width)
				for j := range U[m] {
					U[m][j] = sum(num{}, p, column(h, j))
					sizes[m][j] = num{v: sizeOf(p, column(h, j))}
				}
			}
			if sizes[m] == nil {
				sizes[m] = U[m]
			}
		}
		o.U, o.sizes, o.valid = append(o.U, U), append(o.sizes, sizes), append(o.valid, valid)
	}
}

func interpolated(h [][]num, r, R int) []num {
	position := 0.0
	if R > 1 {
		position = float64(r*(len(h)-1)) / float64(R-1)
	}
	row := int(position + 1e-9)
	part := position - float64(row)
	if math.Abs(part) < 1e-9 {
		return h[row]
	}
	weights := []num{num{v: 1 - part}.rounded(2, 1), num{v: part}.rounded(1, 1)}
	u := make([]num, len(h[0]))
	for j := range u {
		u[j] = sum(num{}, weights, column(h[row:row+2], j))
	}
	return u
}

// scores of slot r over the rows of modality m. The value is that of the page,
// from queries and keys; the bound is that of the order in which the engine
// multiplies, with both projections in one matrix.
func (o *oracle) scores(t testing.TB, H [][][]num, m, r int) []num {
	c, d := &o.c, o.c.Width
	var source []num // of the query
	if c.Align == alignSlots {
		source = o.matrix("align.slots", r, d)
	} else {
		source = H[c.Index(c.Anchor)][r]
	}
	hadamard := c.hadamard(c.Align)
	query := source
	if c.Align == alignAnchor {
		query = o.optional("align.query", source)
	}
	scores := make([]num, len(H[m]))
	for i, h := range H[m] {
		key := o.optional("align.key", h)
		if hadamard {
			weighted, positives := make([]num, d), make([]num, d)
			for k := range d {
				weighted[k] = mul(query[k], o.w["align.score"][k])
				positives[k] = positive(key[k])
			}
			scores[i] = sum(num{}, weighted, positives)
			continue
		}
		scale := num{v: 1 / math.Sqrt(float64(d))}.rounded(1, 1)
		page := mul(scale, sum(num{}, query, key))
		weighted := o.folded(source)
		for k := range weighted {
			weighted[k] = mul(weighted[k], scale)
		}
		scores[i] = sum(num{}, weighted, h)
		require.InDelta(t, page.v, scores[i].v, 1e-9)
	}
	return scores
}

// optional is x Wᵀ, or x when there is no W.
func (o *oracle) optional(name string, x []num) []num {
	if o.w[name+".weight"] == nil {
		return x
	}
	return o.times(name, x, len(x))
}

// folded is the query that is multiplied with H̄ itself: x W_qᵀ W_k, W_qᵀ W_k
// being one matrix for an anchor.
func (o *oracle) folded(x []num) []num {
	d := len(x)
	query, key := o.w["align.query.weight"], o.w["align.key.weight"]
	y := make([]num, d)
	for j := range y {
		weights := make([]num, d) // column j of W_qᵀ W_k
		for i := range weights {
			switch {
			case o.c.Align == alignSlots && key != nil:
				weights[i] = key[i*d+j]
			case query != nil && key != nil:
				weights[i] = sum(num{}, every(query, i, d), every(key, j, d))
			case query != nil:
				weights[i] = query[j*d+i]
			case key != nil:
				weights[i] = key[i*d+j]
			default:
				return slices.Clone(x)
			}
		}
		y[j] = sum(num{}, x, weights)
	}
	return y
}

// column returns element j of every row.
func column(rows [][]num, j int) []num {
	y := make([]num, len(rows))
	for i, row := range rows {
		y[i] = row[j]
	}
	return y
}

// gate is E4 and E5.
func (o *oracle) gate() {
	M, G := len(o.counts), o.c.gateSize()
	for r, U := range o.U {
		var u, sizes []num
		for m, part := range U {
			u, sizes = append(u, part...), append(sizes, o.sizes[r][m]...)
		}
		logits := o.times("gate", u, M*G)
		for i := range logits {
			if o.c.absorbs() { // H̄ times W_g comes before the sum over the rows
				size := sizeOf(sizes, o.matrix("gate.weight", i, len(sizes)))
				logits[i] = logits[i].rounded(o.mostRows()+o.c.Width+M+2, size)
			}
		}
		A := make([][]num, M)
		for m := range A {
			A[m] = make([]num, G)
		}
		for g := range G {
			p := softmaxOf(every(logits, g, G), o.valid[r])
			for m := range A {
				A[m][g] = p[m]
			}
		}
		o.A = append(o.A, A)
	}
}

// every returns elements g, g+G, g+2G, …: a column of a matrix of G columns.
func every(x []num, g, G int) []num {
	var y []num
	for ; g < len(x); g += G {
		y = append(y, x[g])
	}
	return y
}

// mix is Y of slot r under gate s.
func (o *oracle) mix(r, s int) []num {
	y := make([]num, o.c.Width)
	for j := range y {
		g := s
		if o.c.Gate == gateFeature {
			g = j
		}
		y[j] = sum(num{}, column(o.A[r], g), column(o.U[r], j))
	}
	return y
}

// pool is E6.
func (o *oracle) pool() {
	c, R, S := &o.c, len(o.U), o.c.gateCount()
	o.Omega = make([][]num, R)
	for r := range o.Omega {
		o.Omega[r] = make([]num, S)
	}
	for s := range S {
		var Y [][]num
		var scores []num
		for r := range R {
			y := o.mix(r, s)
			Y = append(Y, y)
			if c.Pool == poolAttention {
				bent := make([]num, len(y))
				for j := range y {
					bent[j] = tanh(y[j])
				}
				scores = append(scores, sum(num{}, bent, o.matrix("pool.weight", s, c.Width)))
			}
		}
		weights := make([]num, R)
		switch c.Pool {
		case poolAttention:
			weights = softmaxOf(scores, always(R))
		case poolMean:
			for r := range weights {
				weights[r] = num{v: 1 / float64(R)}.rounded(1, 1)
			}
		default:
			for r := range weights {
				weights[r] = num{v: 1}
			}
		}
		for r := range R {
			o.Omega[r][s] = weights[r]
			if c.Pool == poolNone {
				o.z = append(o.z, Y[r]...)
			}
		}
		for j := 0; j < c.Width && c.Pool != poolNone; j++ {
			// The engine may add all slots and modalities in one sum, or all slots before
			// the rows.
			z := sum(num{}, weights, column(Y, j))
			z = z.rounded(R*len(o.counts), sizeOf(weights, column(Y, j)))
			if c.absorbs() {
				size := 0.0
				for r := range R {
					for m := range o.counts {
						size += weights[r].most() * o.A[r][m][s].most() * o.sizes[r][m][j].most()
					}
				}
				z = z.rounded(R+o.mostRows()+len(o.counts)+3, size)
			}
			o.z = append(o.z, z)
		}
	}
}

// mostRows is n of the modality with the most rows.
func (o *oracle) mostRows() int { return slices.Max(o.counts) }

func sizeOf(a, b []num) float64 {
	size := 0.0
	for i := range a {
		size += a[i].most() * b[i].most()
	}
	return size
}

// head is E7.
func (o *oracle) head() {
	h := &o.c.Head
	if h.Task == Embed {
		return
	}
	x := o.z
	if h.Hidden > 0 {
		x = o.times("head.0", x, h.Hidden)
		for i := range x {
			x[i] = positive(x[i])
		}
		o.logits = o.times("head.1", x, h.Outputs)
	} else {
		o.logits = o.times("head.0", x, h.Outputs)
	}
	if h.Task == Classify {
		o.probabilities = softmaxOf(o.logits, always(h.Outputs))
	}
}

// explain is the share of each modality.
func (o *oracle) explain() {
	R, G := len(o.U), o.c.gateSize()
	for m := range o.counts {
		var total num
		size := 0.0
		for r := range R {
			for g := range G {
				omega := o.Omega[r][min(g, len(o.Omega[r])-1)]
				if o.c.Pool == poolSum || o.c.Pool == poolNone {
					omega = num{v: 1 / float64(R)}.rounded(1, 1)
				}
				term := mul(omega, o.A[r][m][g])
				total.v += term.v / float64(G)
				total.e += term.e / float64(G)
				size += term.most() / float64(G)
			}
		}
		o.share = append(o.share, total.rounded(R*G+4, size))
	}
}

// flat returns the values of nested rows, one after the other.
func flat(rows [][]num) []num {
	var all []num
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}
