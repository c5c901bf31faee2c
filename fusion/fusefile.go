package fusion

import (
	"fmt"

	"github.com/ragedge/ragedge/safetensors"
)

// FuseFile runs the model on the tensors of an input file and returns those of
// the output file.
//
// Input: F32 `<modality>` [n, d_m]; or a batch [B, n, d_m], where I64
// `<modality>.length` [B] may say how many rows of each example are valid. A
// modality left out is absent. Output: z, attention, region and share as in
// [Output], logits and probabilities when the model has them, each with a
// leading B for a batch, in which R is the largest of the batch and slots that
// an example does not have are 0.
//
// Errors are those of [State.Fuse], and ErrBadInputDType, ErrBadRank, ErrBadBatch.
func (s *State) FuseFile(in *safetensors.File) (*safetensors.File, error) {
	b, err := readBatch(&s.model.Config, in)
	if err != nil {
		return nil, err
	}
	outputs, err := s.outputs(b)
	if err != nil {
		return nil, err
	}
	example := make([]Regions, len(b.inputs))
	for i := range b.size {
		out, err := s.Fuse(b.example(example, i))
		if err != nil && b.batched {
			return nil, fmt.Errorf("example %d: %w", i, err)
		}
		if err != nil {
			return nil, err
		}
		for k := range outputs {
			outputs[k].set(i, out)
		}
	}
	file := &safetensors.File{}
	for _, o := range outputs {
		if b.batched {
			o.shape = append([]int{b.size}, o.shape...)
		}
		file.Tensors = append(file.Tensors, safetensors.NewFloat32(o.name, o.values, o.shape...))
	}
	return file, nil
}

// output is an output tensor in the making: the values of every example, one
// after the other.
type output struct {
	name   string
	shape  []int // of one example; the first dimension may be larger than the example's
	of     func(*Output) []float32
	values []float32
}

// outputs returns the tensors of a batch, still empty.
func (s *State) outputs(b *batch) ([]output, error) {
	c := &s.model.Config
	R, M, S := b.slots(c), len(c.Modalities), c.gateCount()
	all := []output{
		{name: "z", shape: []int{c.fusedRows(R), c.Width}, of: func(o *Output) []float32 { return o.Z }},
		{name: "logits", shape: []int{len(s.out.Logits)}, of: func(o *Output) []float32 { return o.Logits }},
		{name: "probabilities", shape: []int{len(s.out.Probabilities)}, of: func(o *Output) []float32 { return o.Probabilities }},
		{name: "attention", shape: []int{R, M, c.gateSize()}, of: func(o *Output) []float32 { return o.Attention }},
		{name: "region", shape: []int{R, S}, of: func(o *Output) []float32 { return o.Region }},
		{name: "share", shape: []int{M}, of: func(o *Output) []float32 { return o.Share }},
	}
	var outputs []output
	total := int64(0)
	for _, o := range all {
		n := int64(b.size)
		for _, dim := range o.shape {
			n *= int64(dim) // the product without B fits a State
		}
		if total += n; total > safetensors.MaxSize/4 {
			return nil, fmt.Errorf("%w: the outputs of %d examples are too large for one file", ErrBadBatch, b.size)
		}
		if n > 0 {
			o.values = make([]float32, n)
			outputs = append(outputs, o)
		}
	}
	return outputs, nil
}

// set takes the values of example i over.
func (o *output) set(i int, out *Output) {
	size := 1
	for _, dim := range o.shape {
		size *= dim
	}
	copy(o.values[i*size:], o.of(out))
}
