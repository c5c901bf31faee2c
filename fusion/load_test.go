package fusion

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// lowPrecision returns the tensor in another type, and the float32 tensor it
// stands for.
func lowPrecision(t *testing.T, tensor safetensors.Tensor, dtype safetensors.DType) (low []safetensors.Tensor, full safetensors.Tensor) {
	values := floats(t, &tensor)
	encoded := safetensors.Tensor{Name: tensor.Name, DType: dtype, Shape: tensor.Shape}
	low = []safetensors.Tensor{encoded}
	switch {
	case dtype == safetensors.BF16:
		for i, v := range values {
			bits := math.Float32bits(v) >> 16
			low[0].Data = binary.LittleEndian.AppendUint16(low[0].Data, uint16(bits))
			values[i] = math.Float32frombits(bits << 16)
		}
	case dtype == safetensors.F16:
		for i, v := range values { // numbers of a few bits, which F16 holds exactly
			v = max(float32(math.Round(float64(v)*64)/64), 1.0/64)
			fraction, exponent := math.Frexp(float64(v))
			low[0].Data = binary.LittleEndian.AppendUint16(low[0].Data, uint16(exponent-1+15)<<10|uint16((fraction*2-1)*1024))
			values[i] = v
		}
	case dtype == safetensors.I8 && len(tensor.Shape) == 2:
		scales := make([]float32, tensor.Shape[0])
		for i := range scales {
			scales[i] = float32(i+1) / 100
		}
		for i, v := range values {
			q := int8(max(-128, min(127, math.Round(float64(v)*50))))
			low[0].Data = append(low[0].Data, byte(q))
			values[i] = float32(q) * scales[i/tensor.Shape[1]]
		}
		low = append(low, safetensors.NewFloat32(tensor.Name+".scale", scales, len(scales)))
	default:
		return []safetensors.Tensor{tensor}, tensor
	}
	return low, safetensors.NewFloat32(tensor.Name, values, tensor.Shape...)
}

// TestLowPrecision loads models in F16, BF16 and I8, and wants the bits of the
// float32 models that they stand for.
func TestLowPrecision(t *testing.T) {
	for i, c := range everyConfig() {
		if testing.Short() && i%5 > 0 {
			continue
		}
		dtype := []safetensors.DType{safetensors.F16, safetensors.BF16, safetensors.I8}[i%3]
		var low, full []safetensors.Tensor
		for _, tensor := range randomTensors(rand.New(rand.NewPCG(uint64(i), 1)), c, everything...) {
			l, f := lowPrecision(t, tensor, dtype)
			low, full = append(low, l...), append(full, f)
		}
		in := randomRows(uint64(i), c, 4, 5, 3)
		want := kept(fuse(t, parseModel(t, modelFile(c, full)).NewState(), in))
		got := kept(fuse(t, parseModel(t, modelFile(c, low)).NewState(), in))
		require.Equal(t, want, got, "%s as %s", configName(c), dtype)
	}
}

// TestBadWeights edits the tensors of a sound model. errors.json has the plain
// cases.
func TestBadWeights(t *testing.T) {
	c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2})
	i8 := func(name string, shape ...int) safetensors.Tensor {
		return safetensors.Tensor{Name: name, DType: safetensors.I8, Shape: shape, Data: make([]byte, len(zeros(name, shape).Data)/4)}
	}
	scale := zeros("gate.weight.scale", []int{2})
	inf := safetensors.NewFloat32("gate.weight.scale", []float32{1, float32(math.Inf(1))}, 2)
	tests := []struct {
		name string
		put  []safetensors.Tensor
		err  error
		word string
	}{
		{"F64", []safetensors.Tensor{{Name: "gate.bias", DType: safetensors.F64, Shape: []int{2}, Data: make([]byte, 16)}}, ErrBadDType, "gate.bias"},
		{"integers", []safetensors.Tensor{{Name: "gate.bias", DType: safetensors.I32, Shape: []int{2}, Data: make([]byte, 8)}}, ErrBadDType, "gate.bias"},
		{"I8 without scale", []safetensors.Tensor{i8("gate.weight", 2, 12)}, ErrMissingTensor, "gate.weight.scale"},
		{"I8 vector", []safetensors.Tensor{i8("gate.bias", 2), zeros("gate.bias.scale", []int{2})}, ErrMisshapenTensor, "gate.bias"},
		{"scale of another shape", []safetensors.Tensor{i8("gate.weight", 2, 12), zeros("gate.weight.scale", []int{12})}, ErrMisshapenTensor, "gate.weight.scale"},
		{"scale of a scale", []safetensors.Tensor{i8("gate.weight", 2, 12), i8("gate.weight.scale", 2), zeros("gate.weight.scale.scale", []int{2})}, ErrExtraTensor, "scale.scale"},
		{"scale that is I8", []safetensors.Tensor{i8("gate.weight", 2, 12), i8("gate.weight.scale", 2)}, ErrBadDType, "gate.weight.scale"},
		{"scale that is infinite", []safetensors.Tensor{i8("gate.weight", 2, 12), inf}, ErrNonFiniteTensor, "gate.weight"},
		{"scale of F32", []safetensors.Tensor{scale}, ErrExtraTensor, "gate.weight.scale"},
		{"scale of nothing", []safetensors.Tensor{zeros("align.key.weight.scale", []int{6})}, ErrExtraTensor, "align.key.weight.scale"},
		{"std that is negative", statistics(0, -1), ErrNonPositiveStd, "input.b.std"},
		{"std whose inverse overflows", statistics(0, 1e-39), ErrNonPositiveStd, "input.b.std"},
		{"std too small for the weights", statistics(0, 2e-38), ErrNonPositiveStd, "input.b.std"},
		{"negative zero", statistics(0, float32(math.Copysign(0, -1))), ErrNonPositiveStd, "input.b.std"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := modelFile(c, randomTensors(rand.New(rand.NewPCG(1, 1)), c))
			put(f, safetensors.NewFloat32("project.b.weight", slices.Repeat([]float32{30}, 12), 6, 2))
			for _, tensor := range test.put {
				put(f, tensor)
			}
			data, err := f.Bytes()
			require.NoError(t, err)
			_, err = Parse(data)
			require.ErrorIs(t, err, test.err)
			require.ErrorIs(t, err, ErrModel)
			require.ErrorContains(t, err, test.word)
		})
	}
}

// statistics of modality b.
func statistics(mean, std float32) []safetensors.Tensor {
	return []safetensors.Tensor{
		safetensors.NewFloat32("input.b.mean", []float32{mean, mean}, 2),
		safetensors.NewFloat32("input.b.std", []float32{1, std}, 2),
	}
}

// FuzzParse holds that a damaged model is refused or computes.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"slots_key", "anchor_hadamard", "feature_attention", "identity_ragged", "zero_row",
		"self_gelu", "hybrid_sensors", "co_one_way_hadamard", "saturated"} {
		data, err := readGolden(f, name, "model").Bytes()
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			require.ErrorIs(t, err, ErrModel)
			return
		}
		require.True(t, strings.HasPrefix(m.Digest, "sha256:"))
		s := m.NewState()
		in := make([]Regions, len(m.Config.Modalities))
		for i, modality := range m.Config.Modalities {
			rows := min(modality.Regions, 3)
			in[i] = Regions{rows, modality.Features, make([]float32, rows*modality.Features)}
		}
		out, err := s.Fuse(in)
		if err != nil {
			require.ErrorIs(t, err, ErrInput)
			return
		}
		require.True(t, finite(out.Z) && finite(out.Logits))
		require.True(t, finite(out.Attention) && finite(out.Region) && finite(out.Share) && finite(out.Probabilities))
	})
}
