package safetensors

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample is a file with a bit of everything.
func sample() *File {
	return &File{
		Tensors: []Tensor{
			NewFloat32("w", []float32{1, -2, float32(math.Inf(1)), 0x1p-149, 5, 6}, 2, 3),
			{Name: "bytes", DType: U8, Shape: []int{3}, Data: []byte{1, 2, 3}},
			NewInt64("w.length", []int64{math.MinInt64, 7}, 2),
			NewFloat32("empty", nil, 0, 4),
			NewFloat32("scalar", []float32{3}),
			{Name: "half", DType: BF16, Shape: []int{1, 1}, Data: []byte{0x80, 0x3f}},
		},
		Metadata: map[string]string{"config": `{"a":"b\c"}`, "z": "", "quote\"\n\x00<é😀": "\x1f"},
	}
}

func TestBytesRoundTrip(t *testing.T) {
	for _, f := range []*File{sample(), {}, {Metadata: map[string]string{}}, {Tensors: []Tensor{NewFloat32("w", []float32{1}, 1)}}} {
		data, err := f.Bytes()
		require.NoError(t, err)
		read, err := Parse(data)
		require.NoError(t, err)
		require.Equal(t, f.Metadata, read.Metadata)
		require.Len(t, read.Tensors, len(f.Tensors))
		offset := len(data)
		for _, tensor := range read.Tensors {
			offset -= len(tensor.Data)
		}
		for _, tensor := range read.Tensors {
			require.Zero(t, offset%tensor.DType.Size(), "%s is not aligned", tensor.Name)
			offset += len(tensor.Data)
			want := f.Tensor(tensor.Name)
			require.NotNil(t, want)
			require.Equal(t, want.DType, tensor.DType)
			require.Equal(t, append([]int{}, want.Shape...), tensor.Shape)
			require.Equal(t, append([]byte{}, want.Data...), append([]byte{}, tensor.Data...))
		}
		again, err := read.Bytes()
		require.NoError(t, err)
		require.Equal(t, data, again, "the same content must give the same bytes")
	}
}

func TestBytesIsStable(t *testing.T) {
	first, err := sample().Bytes()
	require.NoError(t, err)
	for range 20 { // maps are ranged over in a new order each time
		data, err := sample().Bytes()
		require.NoError(t, err)
		require.Equal(t, first, data)
	}
}

func TestBytesRefuses(t *testing.T) {
	tests := map[string]*File{
		"type":            {Tensors: []Tensor{{Name: "w", DType: "F99", Shape: []int{1}, Data: []byte{1}}}},
		"shape":           {Tensors: []Tensor{{Name: "w", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}}},
		"negative shape":  {Tensors: []Tensor{{Name: "w", DType: U8, Shape: []int{-1}}}},
		"no name":         {Tensors: []Tensor{{DType: U8, Shape: []int{0}}}},
		"long name":       {Tensors: []Tensor{{Name: strings.Repeat("x", MaxName+1), DType: U8, Shape: []int{0}}}},
		"reserved name":   {Tensors: []Tensor{{Name: metadataKey, DType: U8, Shape: []int{0}}}},
		"name twice":      {Tensors: []Tensor{{Name: "w", DType: U8, Shape: []int{0}}, {Name: "w", DType: U8, Shape: []int{0}}}},
		"name not UTF-8":  {Tensors: []Tensor{{Name: "\xff", DType: U8, Shape: []int{0}}}},
		"text not UTF-8":  {Metadata: map[string]string{"a": "\xff"}},
		"too many":        {Tensors: make([]Tensor, MaxTensors+1)},
		"header too long": {Metadata: map[string]string{"a": strings.Repeat("x", MaxHeader)}},
		"too large":       {Tensors: []Tensor{{Name: "w", DType: U8, Shape: []int{MaxSize}, Data: make([]byte, MaxSize)}}},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := f.Bytes()
			require.ErrorIs(t, err, ErrFormat)
		})
	}
}
