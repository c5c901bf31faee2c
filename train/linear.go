package train

import (
	"strings"

	"github.com/ragedge/ragedge"
)

// network is the parameters with W beside Wᵀ of every layer. All passes share it; nothing
// in it changes while one runs.
type network struct {
	*Parameters
	turned []float32 // laid out like the values
}

func newNetwork(p *Parameters) *network {
	n := &network{Parameters: p, turned: make([]float32, len(p.values))}
	n.refresh()
	return n
}

// isMatrix reports whether a tensor is the weight of a layer.
func (t tensor) isMatrix() bool { return len(t.shape) == 2 && strings.HasSuffix(t.name, ".weight") }

// refresh makes every Wᵀ anew, after W has changed.
func (n *network) refresh() {
	for _, t := range n.tensors {
		if t.isMatrix() {
			out, in := t.shape[0], t.shape[1]
			ragedge.Transpose(n.turned[t.first:], n.values[t.first:], out, in, out, in)
		}
	}
}

// linear is y = x Wᵀ + b with W [out, in], for every row of x, and its gradients.
type linear struct {
	out, in              int
	weight, turned, bias []float32 // W, Wᵀ and b; nil for no bias
	dWeight, dBias       []float32
	work                 *workspace
}

// workspace is what the backward step of a layer works in.
type workspace struct {
	turned []float32 // a matrix of rows, as columns
	ones   []float32 // 1 for every row

	size, rows int // their lengths
}

// linear returns the layer of that name; ok is false when the model has none. It will
// have so many rows at most.
func (p *pass) linear(name string, rows int) (l linear, ok bool) {
	weight := name + ".weight"
	for _, t := range p.net.tensors {
		if t.name != weight {
			continue
		}
		l = linear{
			out: t.shape[0], in: t.shape[1],
			weight: p.weight(weight), turned: p.net.of(p.net.turned, weight), bias: p.weight(name + ".bias"),
			dWeight: p.gradient(weight), dBias: p.gradient(name + ".bias"), work: &p.work,
		}
		p.needs(rows, l.out, l.in)
		return l, true
	}
	return linear{}, false
}

// needs makes the workspace large enough for a layer.
func (p *pass) needs(rows, out, in int) {
	w := &p.work
	n, most := max(w.size, rows*min(out, in)+out*in), max(w.rows, rows, p.net.Config.Width)
	p.taken += n - w.size + most - w.rows
	if !p.counts && n > w.size {
		w.turned = make([]float32, n)
	}
	if !p.counts && most > w.rows {
		w.ones = make([]float32, most)
		fill(w.ones, 1)
	}
	w.size, w.rows = n, most
}

// forward sets y [n, out] from x [n, in].
func (l *linear) forward(y, x []float32) {
	n := len(x) / l.in
	ragedge.WeightedRows(y, x, l.turned, n, l.in, l.out, l.out, l.out)
	if l.bias != nil {
		addRow(y[:n*l.out], l.bias)
	}
}

// backward takes dy [n, out] and the x of forward. It sets dx, unless that is nil, and
// the gradients of W and b: a layer is used once in a pass.
func (l *linear) backward(dx, dy, x []float32) {
	n := len(x) / l.in
	if n == 0 {
		return
	}
	if dx != nil {
		ragedge.WeightedRows(dx, dy, l.weight, n, l.out, l.in, l.in, l.in)
	}
	if l.dBias != nil {
		clear(l.dBias)
		ragedge.GatedSum(l.dBias, l.work.ones[:n], dy[:n*l.out])
	}
	// dW = dyᵀ x. The narrower of the two becomes columns, so that the kernel has the
	// wider one side by side.
	if l.in >= l.out {
		columns := l.work.turned[:n*l.out]
		ragedge.Transpose(columns, dy, n, l.out, n, l.out)
		ragedge.WeightedRows(l.dWeight, columns, x, l.out, n, l.in, l.in, l.in)
		return
	}
	columns, turned := l.work.turned[:n*l.in], l.work.turned[n*l.in:]
	ragedge.Transpose(columns, x, n, l.in, n, l.in)
	ragedge.WeightedRows(turned, columns, dy, l.in, n, l.out, l.out, l.out)
	ragedge.Transpose(l.dWeight, turned, l.in, l.out, l.in, l.out)
}
