package fusion

import (
	"math"
	"strconv"
)

// allowed says which rows row i may attend to.
func (o *oracle) allowed(kind string, owner []int, i int) []bool {
	anchor := o.c.Index(o.c.Anchor)
	all := make([]bool, len(owner))
	for j := range all {
		switch kind {
		case blockSelf:
			all[j] = true
		case blockIntra:
			all[j] = owner[i] == owner[j]
		case blockCross:
			all[j] = owner[i] != owner[j]
		case blockOneWay:
			all[j] = owner[i] == anchor && owner[j] != anchor
		}
	}
	return all
}

// block is block i of E2, in place. owner is the modality of each row.
func (o *oracle) block(i int, rows [][]num, owner []int) {
	name, kind := "block."+strconv.Itoa(i), o.c.blocks()[i]
	attention := name + ".attention."
	var Q, K, V [][]num
	for _, row := range rows {
		x := o.layerNorm(name+".norm1", row)
		Q = append(Q, o.query(attention+"query", x, !o.c.hadamard(kind)))
		K = append(K, o.times(attention+"key", x, len(x)))
		V = append(V, o.times(attention+"value", x, len(x)))
	}
	for i, row := range rows {
		may := o.allowed(kind, owner, i)
		context := make([]num, len(row))
		for head := range o.c.Heads {
			o.attend(context, attention+"score", kind, head, Q[i], K, V, may)
		}
		o.residual(row, attention+"output", context)
	}
	for _, row := range rows {
		inner := o.times(name+".ffn.0", o.layerNorm(name+".norm2", row), o.c.FFN)
		for j, v := range inner {
			if o.c.Activation == activateGELU {
				inner[j] = normal(v)
			} else {
				inner[j] = positive(v)
			}
		}
		o.residual(row, name+".ffn.1", inner)
	}
}

// query is x W_qᵀ + b; folded, 1/√d_h is multiplied into both, which rounds the
// root and each product once.
func (o *oracle) query(name string, x []num, folded bool) []num {
	if !folded {
		return o.times(name, x, len(x))
	}
	root := num{v: 1 / math.Sqrt(float64(len(x)/o.c.Heads))}.rounded(1, 1)
	y := make([]num, len(x))
	for j := range y {
		weights := make([]num, len(x))
		for k, w := range o.matrix(name+".weight", j, len(x)) {
			weights[k] = mul(w, root)
		}
		y[j] = sum(mul(o.w[name+".bias"][j], root), x, weights)
	}
	return y
}

// attend sets the part of the context that one head has: P V, or 0 where nothing
// is allowed.
func (o *oracle) attend(context []num, score, kind string, head int, query []num, K, V [][]num, may []bool) {
	d, size := len(query), len(query)/o.c.Heads
	part := func(x []num) []num { return x[head*size : (head+1)*size] }
	scores := make([]num, len(K))
	some := false
	for j, key := range K {
		some = some || may[j]
		if !o.c.hadamard(kind) {
			scores[j] = sum(num{}, part(query), part(key))
			continue
		}
		weighted, positives := make([]num, d), make([]num, d)
		for k, w := range o.matrix(score, head, d) {
			weighted[k], positives[k] = mul(query[k], w), positive(key[k])
		}
		scores[j] = sum(num{}, weighted, positives)
	}
	if !some {
		return
	}
	p := softmaxOf(scores, may)
	for k := range size {
		context[head*size+k] = sum(num{}, p, column(V, head*size+k))
	}
}

// residual adds x Wᵀ + b to the row, b first.
func (o *oracle) residual(row []num, name string, x []num) {
	for j := range row {
		row[j] = sum(add(row[j], o.w[name+".bias"][j]), x, o.matrix(name+".weight", j, len(x)))
	}
}
