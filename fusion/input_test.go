package fusion

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

func TestFuseRefuses(t *testing.T) {
	c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2})
	s := randomModel(t, 1, c, everything...).NewState()
	row := []float32{1, 2, 3}
	nan := []float32{1, 2, 3, 4, float32(math.NaN()), 6}
	tests := []struct {
		name string
		in   []Regions
		err  error
		word string
	}{
		{"too few inputs", []Regions{{1, 3, row}}, ErrUnknownInput, "1 inputs for 2"},
		{"too many inputs", make([]Regions, 3), ErrUnknownInput, "3 inputs for 2"},
		{"features", []Regions{{}, {1, 3, row}}, ErrWrongFeatures, "b has 3, want 2"},
		{"features of an absurd size", []Regions{{1, math.MaxInt, row}, {}}, ErrWrongFeatures, "a"},
		{"rows", []Regions{{5, 3, make([]float32, 15)}, {}}, ErrTooManyRows, "a has 5, at most 4"},
		{"rows of an absurd size", []Regions{{math.MaxInt, 3, row}, {}}, ErrTooManyRows, "a"},
		{"negative rows", []Regions{{-1, 3, row}, {}}, ErrBadLength, "a"},
		{"too little data", []Regions{{2, 3, row}, {}}, ErrBadLength, "a has 3 values for 2 rows of 3"},
		{"no data", []Regions{{2, 3, nil}, {}}, ErrBadLength, "a"},
		{"NaN", []Regions{{2, 3, nan}, {}}, ErrNonFiniteInput, "a row 1 feature 1 is NaN"},
		{"overflow", []Regions{{1, 3, []float32{math.MaxFloat32, -math.MaxFloat32, math.MaxFloat32}}, {}}, ErrOverflow, "float32"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := s.Fuse(test.in)
			require.Nil(t, out)
			require.ErrorIs(t, err, test.err)
			require.ErrorIs(t, err, ErrInput)
			require.NotErrorIs(t, err, ErrModel)
			require.ErrorContains(t, err, test.word)
		})
	}
	// NaN beyond the valid rows is nobody's business, and an error leaves no trace.
	in := []Regions{{1, 3, nan}, {}}
	want := kept(fuse(t, randomModel(t, 1, c, everything...).NewState(), in))
	require.Equal(t, want, kept(fuse(t, s, in)))
}

// TestSaturation wants no NaN from finite weights and inputs of any size: either
// an answer or the error.
func TestSaturation(t *testing.T) {
	for j, size := range []float32{1e3, 1e10, 1e19, 1e30, math.MaxFloat32, 1e-30, 0x1p-149} {
		for i, c := range everyConfig() {
			if testing.Short() && (i+j)%5 > 0 {
				continue
			}
			s := randomModel(t, uint64(i), c, everything...).NewState()
			in := randomRows(uint64(i), c, 4, 5, 3)
			for m := range in {
				for k := range in[m].Data {
					in[m].Data[k] = max(-1, min(1, in[m].Data[k])) * size
				}
			}
			out, err := s.Fuse(in)
			if err != nil {
				require.ErrorIs(t, err, ErrOverflow)
				continue
			}
			for _, values := range [][]float32{out.Z, out.Logits, out.Probabilities, out.Attention, out.Region, out.Share} {
				require.True(t, finite(values), "%s at %v", configName(c), size)
			}
		}
	}
}

// TestLogitsBeyondFloat32 has a head that overflows on a sound Z.
func TestLogitsBeyondFloat32(t *testing.T) {
	c := baseConfig(Modality{"a", 4, 3})
	c.Head = Head{Task: Regress, Outputs: 1}
	f := modelFile(c, randomTensors(rand.New(rand.NewPCG(1, 1)), c))
	put(f, safetensors.NewFloat32("head.0.weight", slices.Repeat([]float32{math.MaxFloat32}, c.Width), 1, c.Width))
	put(f, safetensors.NewFloat32("norm.bias", slices.Repeat([]float32{9}, c.Width), c.Width))
	_, err := parseModel(t, f).NewState().Fuse(randomRows(1, c, 4))
	require.ErrorIs(t, err, ErrOverflow)
}

// TestFuseFileRefuses has what errors.json leaves out.
func TestFuseFileRefuses(t *testing.T) {
	c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2})
	c.Gates = 64
	s := randomModel(t, 1, c).NewState()
	i64 := func(name string, lengths ...int64) safetensors.Tensor {
		return safetensors.NewInt64(name, lengths, len(lengths))
	}
	f64 := safetensors.Tensor{Name: "a", DType: safetensors.F64, Shape: []int{1, 3}, Data: make([]byte, 24)}
	tests := []struct {
		name    string
		tensors []safetensors.Tensor
		err     error
		word    string
	}{
		{"nothing", nil, ErrAllAbsent, "absent"},
		{"rows of F64", []safetensors.Tensor{f64}, ErrBadInputDType, "a is F64"},
		{"lengths of F32", []safetensors.Tensor{zeros("a", []int{1, 2, 3}), zeros("a.length", []int{1})}, ErrBadInputDType, "a.length is F32"},
		{"lengths of another rank", []safetensors.Tensor{zeros("a", []int{1, 2, 3}), safetensors.NewInt64("a.length", []int64{1}, 1, 1)}, ErrBadLength, "[1 1]"},
		{"a length of lengths", []safetensors.Tensor{zeros("a", []int{1, 2, 3}), i64("a.length", 1), i64("a.length.length", 1)}, ErrUnknownInput, "a.length.length"},
		{"no name but length", []safetensors.Tensor{i64(".length", 1)}, ErrUnknownInput, ".length"},
		{"empty batch", []safetensors.Tensor{zeros("a", []int{0, 2, 3})}, ErrBadBatch, "at least one"},
		{"no dimensions", []safetensors.Tensor{zeros("a", nil)}, ErrBadRank, "a is []"},
		{"rank 4", []safetensors.Tensor{zeros("a", []int{1, 1, 1, 3})}, ErrBadRank, "a"},
		{"features of absent rows", []safetensors.Tensor{zeros("a", []int{0, 2}), zeros("b", []int{1, 2})}, ErrWrongFeatures, "a has 2, want 3"},
		{"length beyond the regions", []safetensors.Tensor{zeros("a", []int{2, 6, 3}), i64("a.length", 4, 5)}, ErrTooManyRows, "example 1: too many rows: a has 5"},
		{"rows beyond every region", []safetensors.Tensor{zeros("a", []int{1, 1000000, 3})}, ErrTooManyRows, "a has 1000000, at most 4"},
		{"output too large", []safetensors.Tensor{zeros("a", []int{300000, 1, 3})}, ErrBadBatch, "too large"},
		{"absent in a large batch", []safetensors.Tensor{zeros("a", []int{1000, 0, 3})}, ErrAllAbsent, "example 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := s.FuseFile(&safetensors.File{Tensors: test.tensors})
			require.Nil(t, out)
			require.ErrorIs(t, err, test.err)
			require.ErrorIs(t, err, ErrInput)
			require.ErrorContains(t, err, test.word)
		})
	}
	// More rows than regions are fine when no length says that they are valid.
	out, err := s.FuseFile(&safetensors.File{Tensors: []safetensors.Tensor{zeros("a", []int{2, 6, 3}), i64("a.length", 4, 1)}})
	require.NoError(t, err)
	require.Equal(t, []int{2, 4, 2, 64}, out.Tensor("attention").Shape)
}

// FuzzFuseFile holds that an input is refused or gives finite outputs.
func FuzzFuseFile(f *testing.F) {
	cases := []string{"slots_key", "anchor_hadamard", "none_identity", "feature_sum", "offset", "hybrid_one_way", "self_odd_sizes"}
	var models []*Model
	for _, name := range cases {
		models = append(models, loadGolden(f, name))
		data, err := readGolden(f, name, "input").Bytes()
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := safetensors.Parse(data)
		if err != nil {
			return
		}
		for _, m := range models {
			out, err := m.NewState().FuseFile(in)
			if err != nil {
				require.ErrorIs(t, err, ErrInput)
				require.False(t, strings.Contains(err.Error(), "%!"), err)
				continue
			}
			_, err = out.Bytes()
			require.NoError(t, err)
			for _, tensor := range out.Tensors {
				require.True(t, finite(floats(t, &tensor)))
			}
		}
	})
}
