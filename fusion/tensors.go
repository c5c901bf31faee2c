package fusion

import "strconv"

// tensor is a row of the table of tensors that a model file may have.
type tensor struct {
	name     string
	shape    []int
	required bool
	with     string // a tensor without which this one must not be, and which needs this one
}

// tensors is a table in the making. What adds to it is not inlined: it is called in
// two dozen places, once for each model.
type tensors []tensor

//go:noinline
func (t *tensors) add(required bool, name string, shape ...int) {
	*t = append(*t, tensor{name: name, shape: shape, required: required})
}

//go:noinline
func (t *tensors) linear(name string, out, in int) {
	t.add(required, name+".weight", out, in)
	t.add(required, name+".bias", out)
}

//go:noinline
func (t *tensors) norm(name string, width int) {
	t.add(required, name+".weight", width)
	t.add(required, name+".bias", width)
}

// table is the list of every tensor that a model of this config may have.
// Matrices are [out, in].
func (c *Config) table() []tensor {
	d, M := c.Width, len(c.Modalities)
	var t tensors
	for _, m := range c.Modalities {
		mean, std := "input."+m.Name+".mean", "input."+m.Name+".std"
		t = append(t, tensor{mean, []int{m.Features}, optional, std}, tensor{std, []int{m.Features}, optional, mean})
		if c.Projection == projectLinear {
			t.linear("project."+m.Name, d, m.Features)
		}
		t.add(optional, "modality."+m.Name, d)
		t.add(optional, "position."+m.Name, m.Regions, d)
	}
	for i, kind := range c.blocks() {
		block := "block." + strconv.Itoa(i)
		t.norm(block+".norm1", d)
		for _, part := range []string{"query", "key", "value", "output"} {
			t.linear(block+".attention."+part, d, d)
		}
		if c.hadamard(kind) {
			t.add(required, block+".attention.score", c.Heads, d)
		}
		t.norm(block+".norm2", d)
		t.linear(block+".ffn.0", c.FFN, d)
		t.linear(block+".ffn.1", d, c.FFN)
	}
	if c.Norm {
		t.norm("norm", d)
	}
	switch c.Align {
	case alignAnchor:
		hadamard := c.hadamard(alignAnchor)
		t.add(hadamard, "align.query.weight", d, d)
		t.add(hadamard, "align.key.weight", d, d)
		if hadamard {
			t.add(required, "align.score", 1, d)
		}
	case alignSlots:
		t.add(required, "align.slots", c.Slots, d)
		t.add(optional, "align.key.weight", d, d)
	}
	t.linear("gate", M*c.gateSize(), M*d)
	if c.Pool == poolAttention {
		t.add(required, "pool.weight", c.gateCount(), d)
	}
	if c.Head.Task != Embed {
		in := d * c.fusedRows(c.maxSlots())
		if c.Head.Hidden > 0 {
			t.linear("head.0", c.Head.Hidden, in)
			t.linear("head.1", c.Head.Outputs, c.Head.Hidden)
		} else {
			t.linear("head.0", c.Head.Outputs, in)
		}
	}
	return t
}

// parameters is the number of weights a model of this config may have. The
// dimensions of a tensor fit a State, or are integers of the config, so that
// nothing overflows.
func (c *Config) parameters() int64 {
	total := int64(0)
	for _, t := range c.table() {
		n := int64(1)
		for _, dim := range t.shape {
			n *= int64(dim)
		}
		total += n
	}
	return total
}
