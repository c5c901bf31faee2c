package train

import "github.com/ragedge/ragedge"

// head is E7: logits = W_1 relu(W_0 vec(Z) + b_0) + b_1, or one layer. An embed head has
// none, and the gradient of Z is set by who wants it.
type head struct {
	layers          []linear
	hidden, dHidden []float32 // before relu [examples, hidden]
	active          []float32 // after it
	logits, dLogits []float32 // [examples, C]
	room            []float32 // [C], of the loss
}

func (p *pass) newHead(examples int) head {
	c := &p.net.Config
	var h head
	for _, name := range []string{"head.0", "head.1"} {
		if l, ok := p.linear(name, examples); ok {
			h.layers = append(h.layers, l)
		}
	}
	n := examples * c.Head.Hidden
	h.hidden, h.dHidden, h.active = p.take(n), p.take(n), p.take(n)
	h.logits, h.dLogits = p.take(examples*c.Head.Outputs), p.take(examples*c.Head.Outputs)
	h.room = p.take(c.Head.Outputs)
	return h
}

// forward sets the logits from Z of n examples.
func (h *head) forward(n int, z []float32) {
	switch len(h.layers) {
	case 1:
		h.layers[0].forward(h.logits, z[:n*h.layers[0].in])
	case 2:
		first, second := &h.layers[0], &h.layers[1]
		size := n * first.out
		first.forward(h.hidden, z[:n*first.in])
		ragedge.Relu(h.active[:size], h.hidden[:size])
		second.forward(h.logits, h.active[:size])
	}
}

// backward sets dz from dLogits.
func (h *head) backward(n int, dz, z []float32) {
	switch len(h.layers) {
	case 1:
		l := &h.layers[0]
		l.backward(dz, h.dLogits[:n*l.out], z[:n*l.in])
	case 2:
		first, second := &h.layers[0], &h.layers[1]
		size := n * first.out
		second.backward(h.dHidden, h.dLogits[:n*second.out], h.active[:size])
		reluBackward(h.dHidden[:size], h.hidden[:size])
		first.backward(dz, h.dHidden[:size], z[:n*first.in])
	}
}
