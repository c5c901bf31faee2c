package train

// pass is forward and backward of some examples at a time, on one thread, with all
// buffers. The rows of H of all examples lie one after the other, those of an example by
// modality, so that layers are products of many rows; attention and what follows work
// through the examples.
//
// The names are those of package fusion; dX is the gradient of the loss in X.
type pass struct {
	net   *network
	grad  []float32 // of the weights, laid out like them
	batch batch

	normals     []normal     // E0
	projections []projection // E1
	blocks      []*block     // E2
	norm        *layerNorm   // E3; nil for none
	align       alignment    // E3
	gate        gating       // E4, E5
	pool        pooling      // E6
	head        head         // E7

	h, dh  []float32 // H, then H̄ [rows, d]
	work   workspace
	taken  int  // values in the buffers
	counts bool // makes no buffers, to measure them
}

// newPass returns a pass for up to so many examples.
func newPass(net *network, examples int) *pass {
	p := &pass{net: net, grad: make([]float32, len(net.values))}
	p.layOut(examples)
	return p
}

// passSize returns how many values the buffers of a pass for so many examples have.
func passSize(net *network, examples int) int {
	p := &pass{net: net, grad: net.values, counts: true}
	p.layOut(examples)
	return p.taken
}

func (p *pass) layOut(examples int) {
	c := &p.net.Config
	rows := 0
	for _, m := range c.Modalities {
		rows += m.Regions
	}
	rows *= examples
	p.batch = p.newBatch(examples)
	p.h, p.dh = p.take(rows*c.Width), p.take(rows*c.Width)
	p.normals = p.newNormals()
	p.projections = p.newProjections(examples)
	p.blocks = p.newBlocks(examples, rows)
	if c.Norm {
		norm := p.layerNorm("norm", rows)
		p.norm = &norm
	}
	p.align = p.newAlignment(examples, rows)
	p.gate = p.newGating(examples)
	p.pool = p.newPooling(examples)
	p.head = p.newHead(examples)
}

// take returns a new buffer, or only counts it. It is not inlined: it is called in
// dozens of places, once for each pass.
//
//go:noinline
func (p *pass) take(n int) []float32 {
	p.taken += n
	if p.counts {
		return nil
	}
	return make([]float32, n)
}

// weight and gradient return a tensor and its gradient, nil when the model has none of
// that name.
func (p *pass) weight(name string) []float32   { return p.net.Tensor(name) }
func (p *pass) gradient(name string) []float32 { return p.net.of(p.grad, name) }

// forward computes what the batch gives: head.logits, or pool.z under an embed head.
func (p *pass) forward() {
	h := p.h[:p.batch.rows*p.net.Config.Width]
	p.project(h)
	for _, b := range p.blocks {
		b.forward(&p.batch, h)
	}
	if p.norm != nil {
		p.norm.forward(h, h)
	}
	p.align.forward(&p.batch, h)
	p.gate.forward(&p.batch, p.align.u)
	p.pool.forward(&p.batch, p.gate.y)
	p.head.forward(p.batch.size, p.pool.z)
}

// backward sets grad from the gradient of what forward computed: head.dLogits, or pool.dz
// under an embed head.
func (p *pass) backward() {
	clear(p.grad)
	h, dh := p.h[:p.batch.rows*p.net.Config.Width], p.dh[:p.batch.rows*p.net.Config.Width]
	p.head.backward(p.batch.size, p.pool.dz, p.pool.z)
	p.pool.backward(&p.batch, p.gate.dy, p.gate.y)
	p.gate.backward(&p.batch, p.align.du, p.align.u)
	clear(dh)
	p.align.backward(&p.batch, dh, h)
	if p.norm != nil {
		from := p.align.spare[:len(dh)]
		copy(from, dh)
		clear(dh)
		p.norm.backward(dh, from)
	}
	for i := len(p.blocks) - 1; i >= 0; i-- {
		p.blocks[i].backward(&p.batch, dh)
	}
	p.projectBackward(dh)
}
