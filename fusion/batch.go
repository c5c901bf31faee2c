package fusion

import (
	"fmt"
	"strings"

	"github.com/ragedge/ragedge/safetensors"
)

const lengthSuffix = ".length" // of the tensor with the valid rows of a batch

// batch is a checked input file. A file of single examples is a batch of one.
type batch struct {
	size    int
	batched bool
	inputs  []batchInput // per modality
}

// batchInput is what a batch holds of one modality; empty when it is left out.
type batchInput struct {
	values         []float32 // [B, rows, features]
	rows, features int
	lengths        []int64 // valid rows per example; nil: all
}

// readBatch checks the tensors of an input file against each other. What
// concerns an example alone is left to Fuse.
func readBatch(c *Config, file *safetensors.File) (*batch, error) {
	for _, t := range file.Tensors {
		modality, isLength := strings.CutSuffix(t.Name, lengthSuffix)
		if c.Index(modality) < 0 {
			return nil, fmt.Errorf("%w: the model has no modality for %.100q", ErrUnknownInput, t.Name)
		}
		if isLength && file.Tensor(modality) == nil {
			return nil, fmt.Errorf("%w: %s without %s", ErrBadLength, t.Name, modality)
		}
		if want := dtype(isLength); t.DType != want {
			return nil, fmt.Errorf("%w: %s is %s, want %s", ErrBadInputDType, t.Name, t.DType, want)
		}
	}
	b := &batch{inputs: make([]batchInput, len(c.Modalities))}
	var first *safetensors.Tensor
	for i, m := range c.Modalities {
		t := file.Tensor(m.Name)
		if t == nil {
			continue
		}
		if first == nil {
			first = t
			b.batched = len(t.Shape) == 3
			b.size = 1
			if b.batched {
				b.size = t.Shape[0]
			}
		}
		in, err := b.read(t, first, file.Tensor(m.Name+lengthSuffix), m)
		if err != nil {
			return nil, err
		}
		b.inputs[i] = in
	}
	if first == nil {
		return nil, ErrAllAbsent
	}
	return b, nil
}

func dtype(isLength bool) safetensors.DType {
	if isLength {
		return safetensors.I64
	}
	return safetensors.F32
}

// read checks the tensor of a modality and its lengths, which may be nil,
// against the first tensor of the batch.
func (b *batch) read(t, first, lengths *safetensors.Tensor, m Modality) (batchInput, error) {
	rank := len(t.Shape)
	switch {
	case rank != 2 && rank != 3:
		return batchInput{}, fmt.Errorf("%w: %s is %v, want [rows, features] or [batch, rows, features]", ErrBadRank, t.Name, t.Shape)
	case rank != len(first.Shape):
		return batchInput{}, fmt.Errorf("%w: %s is %v and %s is %v, want the same rank", ErrBadRank, first.Name, first.Shape, t.Name, t.Shape)
	case b.batched && t.Shape[0] == 0:
		return batchInput{}, fmt.Errorf("%w: %s is %v, want at least one example", ErrBadBatch, t.Name, t.Shape)
	case b.batched && t.Shape[0] != b.size:
		return batchInput{}, fmt.Errorf("%w: %s has %d examples and %s has %d", ErrBadBatch, first.Name, b.size, t.Name, t.Shape[0])
	case t.Shape[rank-1] != m.Features:
		return batchInput{}, fmt.Errorf("%w: %s has %d, want %d", ErrWrongFeatures, t.Name, t.Shape[rank-1], m.Features)
	}
	in := batchInput{rows: t.Shape[rank-2], features: m.Features}
	if lengths != nil {
		if !b.batched {
			return batchInput{}, fmt.Errorf("%w: %s, but only a batch has lengths", ErrBadLength, lengths.Name)
		}
		if len(lengths.Shape) != 1 || lengths.Shape[0] != b.size {
			return batchInput{}, fmt.Errorf("%w: %s is %v, want [%d]", ErrBadLength, lengths.Name, lengths.Shape, b.size)
		}
		var err error
		if in.lengths, err = lengths.Int64s(); err != nil {
			return batchInput{}, err
		}
		for i, n := range in.lengths {
			if n < 0 || n > int64(in.rows) {
				return batchInput{}, fmt.Errorf("%w: %s has %d for example %d, want 0 to %d", ErrBadLength, lengths.Name, n, i, in.rows)
			}
		}
	}
	var err error
	in.values, err = t.Float32s()
	return in, err
}

// length is the number of valid rows in example i.
func (in *batchInput) length(i int) int {
	if in.lengths == nil {
		return in.rows
	}
	return int(in.lengths[i])
}

// example fills regions with example i.
func (b *batch) example(regions []Regions, i int) []Regions {
	for m := range b.inputs {
		in := &b.inputs[m]
		n := in.length(i)
		at := i * in.rows * in.features
		regions[m] = Regions{Rows: n, Features: in.features, Data: in.values[at : at+n*in.features]}
	}
	return regions
}

// slots returns the largest R of the batch, among those that Fuse accepts.
func (b *batch) slots(c *Config) int {
	most := 0
	rows := make([]int, len(b.inputs))
	for i := range b.size {
		for m := range b.inputs {
			rows[m] = b.inputs[m].length(i)
		}
		most = max(most, c.slots(rows))
	}
	return min(most, c.maxSlots())
}
