package fusion

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

const golden = "testdata/golden"

// tolerance of the outputs of a golden case, in units of the largest value of a
// tensor.
func tolerance(name string) float64 {
	if name == "saturated" { // logits beyond the range of exp
		return 5e-5
	}
	return 5e-6
}

func goldenPath(name, file string) string {
	return filepath.Join(golden, name, file+".safetensors")
}

// goldenCases returns the names of the cases.
func goldenCases(t testing.TB) []string {
	inputs, err := filepath.Glob(goldenPath("*", "input"))
	require.NoError(t, err)
	require.Len(t, inputs, 36)
	cases := make([]string, len(inputs))
	for i, path := range inputs {
		cases[i] = filepath.Base(filepath.Dir(path))
	}
	return cases
}

func readGolden(t testing.TB, name, file string) *safetensors.File {
	f, err := safetensors.ReadFile(goldenPath(name, file))
	require.NoError(t, err)
	return f
}

func loadGolden(t testing.TB, name string) *Model {
	m, err := Load(goldenPath(name, "model"))
	require.NoError(t, err)
	return m
}

// floats returns the values of an F32 tensor.
func floats(t require.TestingT, tensor *safetensors.Tensor) []float32 {
	values, err := tensor.Float32s()
	require.NoError(t, err)
	return values
}

func largest(values []float32) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, float64(v), -float64(v))
	}
	return most
}

// deviation is the largest |got − want|, NaN if there is one.
func deviation(got, want []float32) float64 {
	most := 0.0
	for i, v := range got {
		d := float64(v) - float64(want[i])
		most = max(most, d, -d)
	}
	return most
}

// Property 12: the golden files are met within the tolerances of their page.
func TestGolden(t *testing.T) {
	everySet(t, func(t *testing.T) {
		worst := 0.0
		for _, name := range goldenCases(t) {
			t.Run(name, func(t *testing.T) {
				got, err := loadGolden(t, name).NewState().FuseFile(readGolden(t, name, "input"))
				require.NoError(t, err)
				want := readGolden(t, name, "output")
				require.Len(t, got.Tensors, len(want.Tensors))
				for _, w := range want.Tensors {
					g := got.Tensor(w.Name)
					require.NotNil(t, g, w.Name)
					require.Equal(t, safetensors.F32, g.DType)
					require.Equal(t, w.Shape, g.Shape, w.Name)
					off := deviation(floats(t, g), floats(t, &w)) / largest(floats(t, &w))
					worst = max(worst, off/tolerance(name))
					require.LessOrEqual(t, off, tolerance(name), w.Name)
				}
			})
		}
		t.Logf("the worst deviation is %.2g of its tolerance", worst)
	})
}

// TestModelFields reads what a model file says beside its weights.
func TestModelFields(t *testing.T) {
	m := loadGolden(t, "identity_mean")
	require.Equal(t, "identity_mean", m.Config.Name)
	require.Equal(t, Modality{"image", 7, 4}, m.Config.Modalities[1])
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", m.Digest)
	require.Empty(t, m.Features)

	f := readGolden(t, "identity_mean", "model")
	f.Metadata["features"], f.Metadata["card"] = `{"tick":"30s"}`, `{"accuracy":0.9}`
	f.Metadata["format"] = "pt" // what PyTorch adds
	data, err := f.Bytes()
	require.NoError(t, err)
	other, err := Parse(data)
	require.NoError(t, err)
	require.Equal(t, `{"tick":"30s"}`, other.Features)
	require.Equal(t, `{"accuracy":0.9}`, other.Card)
	require.NotEqual(t, m.Digest, other.Digest)

	clear(data) // the model must hold no part of the file
	want, err := m.NewState().FuseFile(readGolden(t, "identity_mean", "input"))
	require.NoError(t, err)
	got, err := other.NewState().FuseFile(readGolden(t, "identity_mean", "input"))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	_, err := Load(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, ErrModel)

	require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	_, err = Load(path)
	require.ErrorIs(t, err, ErrBadFile)
	require.ErrorIs(t, err, ErrModel)
	require.ErrorContains(t, err, path)

	_, err = Load(filepath.Dir(path))
	require.ErrorIs(t, err, ErrBadFile)
}
