package fusion

import (
	"fmt"

	"github.com/ragedge/ragedge/safetensors"
)

// Layout is what a Config comes to, for code that computes the same steps by itself, as
// training does.
type Layout struct {
	Blocks        []Block  // of E2, in order
	HadamardAlign bool     // alignment has the hadamard score
	Anchor        int      // the modality, -1 when there is none
	MostSlots     int      // the largest R of any input
	Gates         int      // S
	GateSize      int      // G
	FusedRows     int      // rows of Z for MostSlots
	Tensors       []Tensor // every tensor that a model file may have
}

// Block is an attention block: what its rows attend to, "self", "intra", "cross" or
// "one way", and whether it has the hadamard score.
type Block struct {
	Kind     string
	Hadamard bool
}

// Tensor is a tensor of a model file. Matrices are [out, in].
type Tensor struct {
	Name     string
	Shape    []int
	Required bool
}

// Layout returns what c comes to. The config must be one that ParseConfig returned.
func (c *Config) Layout() Layout {
	l := Layout{
		HadamardAlign: c.Align == alignAnchor && c.hadamard(alignAnchor),
		Anchor:        c.Index(c.Anchor), MostSlots: c.maxSlots(), Gates: c.gateCount(), GateSize: c.gateSize(),
	}
	l.FusedRows = c.fusedRows(l.MostSlots)
	for _, kind := range c.blocks() {
		l.Blocks = append(l.Blocks, Block{kind, c.hadamard(kind)})
	}
	for _, t := range c.table() {
		l.Tensors = append(l.Tensors, Tensor{t.name, t.shape, t.required})
	}
	return l
}

// SlotCount returns R for an input with the given rows per modality. The anchor of an
// alignment that has one must be present.
func (c *Config) SlotCount(rows []int) int { return c.slots(rows) }

// CheckMemory refuses, with ErrTooLarge, what needs more bytes than the machine has left,
// as far as it says so.
func CheckMemory(need int64) error { return checkMemory(need) }

// ReadWeights returns the config of a model file, and a float32 copy of every tensor by
// name. Errors are of the kind [ErrModel].
func ReadWeights(file *safetensors.File) (Config, map[string][]float32, error) {
	if version, ok := file.Metadata["ragedge"]; !ok || version != "1" {
		return Config{}, nil, fmt.Errorf("%w: ragedge is %.40q, want \"1\"", ErrBadMetadata, version)
	}
	text, ok := file.Metadata["config"]
	if !ok {
		return Config{}, nil, fmt.Errorf("%w: there is no config", ErrBadMetadata)
	}
	c, err := ParseConfig(text)
	if err != nil {
		return Config{}, nil, err
	}
	// The weights are there twice for a moment: as in the file, and laid out.
	if err := checkMemory(4 * (2*c.parameters() + c.workspace())); err != nil {
		return Config{}, nil, err
	}
	w, err := readWeights(&c, file)
	return c, w, err
}
