package fusion

import "strconv"

// tensor is a row of the table of tensors that a model file may have.
type tensor struct {
	name     string
	shape    []int
	required bool
	with     string // a tensor without which this one must not be, and which needs this one
}

// table is the list of every tensor that a model of this config may have.
// Matrices are [out, in].
func (c *Config) table() []tensor {
	d, M := c.Width, len(c.Modalities)
	var table []tensor
	add := func(required bool, name string, shape ...int) {
		table = append(table, tensor{name: name, shape: shape, required: required})
	}
	linear := func(name string, out, in int) {
		add(required, name+".weight", out, in)
		add(required, name+".bias", out)
	}
	norm := func(name string) {
		add(required, name+".weight", d)
		add(required, name+".bias", d)
	}

	for _, m := range c.Modalities {
		mean, std := "input."+m.Name+".mean", "input."+m.Name+".std"
		table = append(table, tensor{mean, []int{m.Features}, optional, std}, tensor{std, []int{m.Features}, optional, mean})
		if c.Projection == projectLinear {
			linear("project."+m.Name, d, m.Features)
		}
		add(optional, "modality."+m.Name, d)
		add(optional, "position."+m.Name, m.Regions, d)
	}
	for i, kind := range c.blocks() {
		block := "block." + strconv.Itoa(i)
		norm(block + ".norm1")
		for _, part := range []string{"query", "key", "value", "output"} {
			linear(block+".attention."+part, d, d)
		}
		if c.hadamard(kind) {
			add(required, block+".attention.score", c.Heads, d)
		}
		norm(block + ".norm2")
		linear(block+".ffn.0", c.FFN, d)
		linear(block+".ffn.1", d, c.FFN)
	}
	if c.Norm {
		norm("norm")
	}
	switch c.Align {
	case alignAnchor:
		hadamard := c.hadamard(alignAnchor)
		add(hadamard, "align.query.weight", d, d)
		add(hadamard, "align.key.weight", d, d)
		if hadamard {
			add(required, "align.score", 1, d)
		}
	case alignSlots:
		add(required, "align.slots", c.Slots, d)
		add(optional, "align.key.weight", d, d)
	}
	linear("gate", M*c.gateSize(), M*d)
	if c.Pool == poolAttention {
		add(required, "pool.weight", c.gateCount(), d)
	}
	if c.Head.Task != Embed {
		in := d * c.fusedRows(c.maxSlots())
		if c.Head.Hidden > 0 {
			linear("head.0", c.Head.Hidden, in)
			linear("head.1", c.Head.Outputs, c.Head.Hidden)
		} else {
			linear("head.0", c.Head.Outputs, in)
		}
	}
	return table
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
