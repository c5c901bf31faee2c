package train

import (
	"math"
	"strconv"
	"strings"

	"github.com/ragedge/ragedge/fusion"
)

// oracle computes E0 to E7 of one example a second time: in float64, row by row, as the
// page of the mechanism has it. Its derivatives are taken as differences.
type oracle struct {
	c    fusion.Config
	w    map[string][]float64
	keys [][][]float64 // of alignment, by modality
}

func newOracle(p *Parameters) *oracle {
	o := &oracle{c: p.Config, w: map[string][]float64{}}
	for _, t := range p.tensors {
		o.w[t.name] = doubles(p.Tensor(t.name))
	}
	for name, values := range p.inputs {
		o.w[name] = doubles(values)
	}
	return o
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// times is x Wᵀ + b; a layer that is not there is x.
func (o *oracle) times(name string, x []float64) []float64 {
	w := o.w[name+".weight"]
	if w == nil {
		return x
	}
	y := make([]float64, len(w)/len(x))
	for j := range y {
		y[j] = inner(w[j*len(x):(j+1)*len(x)], x)
		if b := o.w[name+".bias"]; b != nil {
			y[j] += b[j]
		}
	}
	return y
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func (o *oracle) normed(name string, x []float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for j, v := range x {
		y[j] = (v-mean)/math.Sqrt(variance+1e-5)*o.w[name+".weight"][j] + o.w[name+".bias"][j]
	}
	return y
}

// attended is the sum of the values under softmax(scores); −Inf is left out.
func attended(scores []float64, values [][]float64, d int) []float64 {
	y, total, top := make([]float64, d), 0.0, math.Inf(-1)
	for _, s := range scores {
		top = max(top, s)
	}
	for i, s := range scores {
		if math.IsInf(s, -1) {
			continue
		}
		e := math.Exp(s - top)
		total += e
		for j, v := range values[i] {
			y[j] += e * v
		}
	}
	for j := range y {
		y[j] /= max(total, math.SmallestNonzeroFloat64)
	}
	return y
}

// pairScore is the score of a query and a key: hadamard when there is a weight.
func pairScore(q, k, weight []float64) float64 {
	if weight == nil {
		return inner(q, k) / math.Sqrt(float64(len(q)))
	}
	sum := 0.0
	for i, w := range weight {
		sum += w * q[i] * max(k[i], 0)
	}
	return sum
}

// mayAttend reports whether a row may attend to another, of the same modality or not.
func mayAttend(kind string, same, anchor bool) bool {
	switch kind {
	case "intra":
		return same
	case "cross":
		return !same
	case "one way":
		return anchor && !same
	}
	return true
}

func (o *oracle) block(i int, kind fusion.Block, H [][]float64, owner []int) {
	name, d, heads := "block."+strconv.Itoa(i), o.c.Width, o.c.Heads
	var Q, K, V [][]float64
	for _, h := range H {
		x := o.normed(name+".norm1", h)
		Q, K, V = append(Q, o.times(name+".attention.query", x)), append(K, o.times(name+".attention.key", x)), append(V, o.times(name+".attention.value", x))
	}
	anchor := o.c.Index(o.c.Anchor)
	for i, h := range H {
		var context []float64
		for head := range heads {
			part := func(x []float64) []float64 { return x[head*d/heads : (head+1)*d/heads] }
			scores, values := make([]float64, len(H)), make([][]float64, len(H))
			for j := range H {
				same := owner[i] == owner[j]
				values[j], scores[j] = part(V[j]), math.Inf(-1)
				switch {
				case !mayAttend(kind.Kind, same, owner[i] == anchor):
				case kind.Hadamard:
					scores[j] = pairScore(Q[i], K[j], o.w[name+".attention.score"][head*d:(head+1)*d])
				default:
					scores[j] = pairScore(part(Q[i]), part(K[j]), nil)
				}
			}
			context = append(context, attended(scores, values, d/heads)...)
		}
		for j, v := range o.times(name+".attention.output", context) {
			h[j] += v
		}
	}
	for _, h := range H {
		x := o.times(name+".ffn.0", o.normed(name+".norm2", h))
		for j, v := range x {
			if o.c.Activation == "gelu" {
				x[j] = v * math.Erfc(-v/math.Sqrt2) / 2
			} else {
				x[j] = max(v, 0)
			}
		}
		for j, v := range o.times(name+".ffn.1", x) {
			h[j] += v
		}
	}
}

// run returns the logits, or Z under an embed head.
func (o *oracle) run(in []fusion.Regions) []float64 {
	c, d, layout := &o.c, o.c.Width, o.c.Layout()
	var H [][]float64
	var owner, counts []int
	for m, modality := range c.Modalities {
		counts = append(counts, in[m].Rows)
		for r := range in[m].Rows {
			x := doubles(in[m].Data[r*in[m].Features : (r+1)*in[m].Features])
			for j := range x {
				if mean := o.w[meanOf(modality)]; mean != nil {
					x[j] = (x[j] - mean[j]) / o.w[stdOf(modality)][j]
				}
			}
			h := append([]float64(nil), o.times("project."+modality.Name, x)...)
			for j := range h {
				if e := o.w["modality."+modality.Name]; e != nil {
					h[j] += e[j]
				}
				if p := o.w["position."+modality.Name]; p != nil {
					h[j] += p[r*d+j]
				}
			}
			H, owner = append(H, h), append(owner, m)
		}
	}
	for i, kind := range layout.Blocks {
		o.block(i, kind, H, owner)
	}
	parts := make([][][]float64, len(counts))
	for i, h := range H {
		if c.Norm {
			h = o.normed("norm", h)
		}
		parts[owner[i]] = append(parts[owner[i]], h)
	}
	return o.fuse(parts, counts)
}

// aligned is U^m_r, and whether it is valid.
func (o *oracle) aligned(parts [][][]float64, r, m, R int) ([]float64, bool) {
	c, d, h, n := &o.c, o.c.Width, parts[m], len(parts[m])
	query := []float64(nil)
	switch {
	case n == 0 || c.Align == "identity" && r >= n:
		return make([]float64, d), false
	case c.Align == "identity", c.Align == "anchor" && c.Modalities[m].Name == c.Anchor:
		return h[r], true
	case c.Align == "resample":
		u, last := make([]float64, d), max(R-1, 1)
		row, part := r*(n-1)/last, float64(r*(n-1)%last)/float64(last)
		for j := range u {
			u[j] = (1-part)*h[row][j] + part*h[min(row+1, n-1)][j]
		}
		return u, true
	case c.Align == "anchor":
		query = o.times("align.query", parts[c.Index(c.Anchor)][r])
	default:
		query = o.w["align.slots"][r*d : (r+1)*d]
	}
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = pairScore(query, o.keys[m][i], o.w["align.score"])
	}
	return attended(scores, h, d), true
}

func (o *oracle) fuse(parts [][][]float64, counts []int) []float64 {
	c, d, M, layout := &o.c, o.c.Width, len(counts), o.c.Layout()
	R, S, G := c.SlotCount(counts), layout.Gates, layout.GateSize
	o.keys = make([][][]float64, M)
	for m := range M {
		for _, h := range parts[m] {
			o.keys[m] = append(o.keys[m], o.times("align.key", h))
		}
	}
	Y := make([][][]float64, S) // [S][R][d]
	for r := range R {
		var U [][]float64
		var all []float64
		valid := make([]bool, M)
		for m := range M {
			u, ok := o.aligned(parts, r, m, R)
			U, valid[m], all = append(U, u), ok, append(all, u...)
		}
		L := o.times("gate", all)
		weighted := func(g int) []float64 {
			scores := make([]float64, M)
			for m := range M {
				if scores[m] = L[m*G+g]; !valid[m] {
					scores[m] = math.Inf(-1)
				}
			}
			return attended(scores, U, d)
		}
		for s := range S {
			y := make([]float64, d)
			for j := range y {
				if c.Gate == "feature" {
					y[j] = weighted(j)[j]
				}
			}
			if c.Gate != "feature" {
				y = weighted(s)
			}
			Y[s] = append(Y[s], y)
		}
	}
	var z []float64
	for s := range S {
		switch c.Pool {
		case "none":
			for _, y := range Y[s] {
				z = append(z, y...)
			}
			continue
		case "attention":
			scores := make([]float64, R)
			for r, y := range Y[s] {
				for j, v := range y {
					scores[r] += o.w["pool.weight"][s*d+j] * math.Tanh(v)
				}
			}
			z = append(z, attended(scores, Y[s], d)...)
			continue
		}
		mean := attended(make([]float64, R), Y[s], d)
		for j := range mean {
			if c.Pool == "sum" {
				mean[j] *= float64(R)
			}
		}
		z = append(z, mean...)
	}
	if c.Head.Task == "embed" {
		return z
	}
	if y := o.times("head.0", z); c.Head.Hidden == 0 {
		return y
	} else {
		for j := range y {
			y[j] = max(y[j], 0)
		}
		return o.times("head.1", y)
	}
}

// slope is the derivative of ⟨cotangent, output⟩ along a direction of one tensor, as a
// difference over so large a step.
func (o *oracle) slope(in []fusion.Regions, name string, direction, cotangent []float64, step float64) float64 {
	was := o.w[name]
	defer func() { o.w[name] = was }()
	at := func(step float64) float64 {
		moved := make([]float64, len(was))
		for i, v := range was {
			moved[i] = v + step*direction[i]
		}
		o.w[name] = moved
		return inner(cotangent, o.run(in))
	}
	return (at(step) - at(-step)) / (2 * step)
}

// trainedBy reports whether an example has anything to say about a tensor.
func trainedBy(c fusion.Config, name string, in []fusion.Regions) bool {
	for m, modality := range c.Modalities {
		for _, of := range []string{"project." + modality.Name + ".", "modality." + modality.Name, "position." + modality.Name} {
			if strings.HasPrefix(name, of) && in[m].Rows == 0 {
				return false
			}
		}
	}
	return true
}
