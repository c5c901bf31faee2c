package fusion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/safetensors"
)

const scaleSuffix = ".scale" // of the tensor with the scales of an I8 matrix

// weights are the tensors of a file by name, as float32.
type weights map[string][]float32

// linear returns the layer of that name; its bias is optional.
func (w weights) linear(name string, out, in int) linear {
	return newLinear(w[name+".weight"], w[name+".bias"], out, in)
}

// readWeights returns a float32 copy of every tensor of the file by name, after
// holding them against the config's table.
func readWeights(c *Config, file *safetensors.File) (weights, error) {
	table := c.table()
	known := make(map[string]bool, len(table))
	for _, t := range table {
		known[t.name] = true
	}
	found := make(map[string]*safetensors.Tensor, len(file.Tensors))
	for i := range file.Tensors {
		found[file.Tensors[i].Name] = &file.Tensors[i]
	}
	for _, t := range file.Tensors {
		matrix, isScale := strings.CutSuffix(t.Name, scaleSuffix)
		isScale = isScale && known[matrix] && found[matrix] != nil && found[matrix].DType == safetensors.I8
		if !known[t.Name] && !isScale {
			return nil, fmt.Errorf("%w: %s is not part of this model", ErrExtraTensor, t.Name)
		}
	}

	w := make(weights, len(table))
	for _, want := range table {
		t := found[want.name]
		if t == nil {
			if want.required || found[want.with] != nil {
				return nil, fmt.Errorf("%w: %s", ErrMissingTensor, want.name)
			}
			continue
		}
		if !slices.Equal(t.Shape, want.shape) {
			return nil, fmt.Errorf("%w: %s is %v, want %v", ErrMisshapenTensor, t.Name, t.Shape, want.shape)
		}
		values, err := dequantise(t, found[t.Name+scaleSuffix])
		if err != nil {
			return nil, err
		}
		w[t.Name] = values
	}
	return w, nil
}

// dequantise returns the values of a tensor as float32. An I8 matrix is
// multiplied, row by row, with its scale [rows].
func dequantise(t, scale *safetensors.Tensor) ([]float32, error) {
	values, err := t.Float32s()
	if err != nil {
		return nil, fmt.Errorf("%w: %s is %s, want F32, F16, BF16 or I8", ErrBadDType, t.Name, t.DType)
	}
	if t.DType == safetensors.I8 {
		if len(t.Shape) != 2 {
			return nil, fmt.Errorf("%w: %s is no matrix, and only matrices may be I8", ErrMisshapenTensor, t.Name)
		}
		if scale == nil {
			return nil, fmt.Errorf("%w: %s%s", ErrMissingTensor, t.Name, scaleSuffix)
		}
		if !slices.Equal(scale.Shape, t.Shape[:1]) {
			return nil, fmt.Errorf("%w: %s is %v, want %v", ErrMisshapenTensor, scale.Name, scale.Shape, t.Shape[:1])
		}
		if scale.DType != safetensors.F32 {
			return nil, fmt.Errorf("%w: %s is %s, want F32", ErrBadDType, scale.Name, scale.DType)
		}
		scales, err := scale.Float32s()
		if err != nil {
			return nil, err
		}
		for i := range values {
			values[i] *= scales[i/t.Shape[1]]
		}
	}
	if i := nonFinite(values); i >= 0 {
		return nil, fmt.Errorf("%w: %s has %v at %d", ErrNonFiniteTensor, t.Name, values[i], i)
	}
	return values, nil
}
