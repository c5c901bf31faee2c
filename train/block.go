package train

import "strconv"

// block is one block of E2, pre-norm:
//
//	H ← H + (P V) W_oᵀ + b_o,  Q, K, V = LN1(H) W_{q,k,v}ᵀ + b,  P = softmax(S)
//	H ← H + act(LN2(H) W_1ᵀ + b_1) W_2ᵀ + b_2
type block struct {
	norm1                     layerNorm
	query, key, value, output linear
	attention                 attention
	norm2                     layerNorm
	expand, contract          linear
	activation                string

	x, y          []float32 // LN1(H), LN2(H) [rows, d]
	inner, active []float32 // before and after the activation [rows, ffn]
	*blockRoom
}

// blockRoom is what blocks work in, one at a time.
type blockRoom struct {
	wide       []float32 // [rows, d]
	dInner     []float32 // [rows, ffn]
	halves     []float32 // [2, rows·ffn], GELU
	dq, dk, dv []float32 // [rows, d]
}

func (p *pass) newBlocks(examples, rows int) []*block {
	c := &p.net.Config
	d, layout := c.Width, c.Layout()
	if len(layout.Blocks) == 0 {
		return nil
	}
	room := &blockRoom{
		wide: p.take(rows * d), dInner: p.take(rows * c.FFN),
		dq: p.take(rows * d), dk: p.take(rows * d), dv: p.take(rows * d),
	}
	if c.Activation == "gelu" {
		room.halves = p.take(2 * rows * c.FFN)
	}
	var blocks []*block
	for i, kind := range layout.Blocks {
		name := "block." + strconv.Itoa(i)
		part := func(name string) linear {
			l, _ := p.linear(name, rows)
			return l
		}
		blocks = append(blocks, &block{
			norm1: p.layerNorm(name+".norm1", rows),
			query: part(name + ".attention.query"), key: part(name + ".attention.key"),
			value: part(name + ".attention.value"), output: part(name + ".attention.output"),
			attention: p.newAttention(name, kind, examples, rows),
			norm2:     p.layerNorm(name+".norm2", rows),
			expand:    part(name + ".ffn.0"), contract: part(name + ".ffn.1"),
			activation: c.Activation,
			x:          p.take(rows * d), y: p.take(rows * d),
			inner: p.take(rows * c.FFN), active: p.take(rows * c.FFN),
			blockRoom: room,
		})
	}
	return blocks
}

// forward replaces h [rows, d].
func (b *block) forward(batch *batch, h []float32) {
	x, y, wide := b.x[:len(h)], b.y[:len(h)], b.wide[:len(h)]
	b.norm1.forward(x, h)
	a := &b.attention
	b.query.forward(a.q, x)
	b.key.forward(a.k, x)
	b.value.forward(a.v, x)
	a.forward(batch)
	b.output.forward(wide, a.context[:len(h)])
	addTo(h, wide)

	b.norm2.forward(y, h)
	inner, active := b.innerOf(len(h))
	b.expand.forward(inner, y)
	activate(b.activation, active, inner)
	b.contract.forward(wide, active)
	addTo(h, wide)
}

// innerOf returns the inner layer for h of that length.
func (b *block) innerOf(size int) (inner, active []float32) {
	n := size / b.expand.in * b.expand.out
	return b.inner[:n], b.active[:n]
}

// backward replaces dh [rows, d].
func (b *block) backward(batch *batch, dh []float32) {
	inner, active := b.innerOf(len(dh))
	dInner, wide := b.dInner[:len(inner)], b.wide[:len(dh)]
	b.contract.backward(dInner, dh, active)
	activateBackward(b.activation, dInner, inner, active, b.halves)
	b.expand.backward(wide, dInner, b.y[:len(dh)])
	b.norm2.backward(dh, wide)

	a := &b.attention
	b.output.backward(wide, dh, a.context[:len(dh)])
	dq, dk, dv := b.dq[:len(dh)], b.dk[:len(dh)], b.dv[:len(dh)]
	a.backward(batch, dq, dk, dv, wide)
	x, sum := b.x[:len(dh)], a.context[:len(dh)] // which is needed no more
	b.query.backward(sum, dq, x)
	b.key.backward(wide, dk, x)
	addTo(sum, wide)
	b.value.backward(wide, dv, x)
	addTo(sum, wide)
	b.norm1.backward(dh, sum)
}
