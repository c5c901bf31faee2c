package train

import (
	"math"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// TestNewIsAModel makes first weights for every config; the engine loads them, and they
// come back as they were.
func TestNewIsAModel(t *testing.T) {
	for i, c := range everyConfig() {
		if testing.Short() && i%20 != 0 {
			continue
		}
		p := randomParameters(t, c, uint64(i), i%2 == 0)
		p.Features, p.Card = `{"tick":"30s"}`, `{"score":1}`
		data, err := p.Bytes()
		require.NoError(t, err)
		model, err := fusion.Parse(data)
		require.NoError(t, err, configName(c))
		require.Equal(t, p.Features, model.Features)
		require.Equal(t, p.Card, model.Card)
		back, err := Read(data)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
}

// TestNewBegins looks at the first values: the same for a seed, about 1 for about 1, and
// gates that prefer nobody.
func TestNewBegins(t *testing.T) {
	c := eitherConfig()
	p, err := New(c, 7, "modality.")
	require.NoError(t, err)
	again, err := New(c, 7, "modality.")
	require.NoError(t, err)
	require.Equal(t, p, again)
	other, err := New(c, 8, "modality.")
	require.NoError(t, err)
	require.NotEqual(t, p.values, other.values)

	require.NotNil(t, p.Tensor("modality.left"))
	require.Nil(t, p.Tensor("position.left"))
	require.Nil(t, p.Tensor("nothing"))
	require.Len(t, p.values, p.Count())
	for _, tensor := range p.tensors {
		values := p.Tensor(tensor.name)
		switch {
		case strings.HasSuffix(tensor.name, ".bias"):
			require.Zero(t, largest(values), tensor.name)
		case strings.Contains(tensor.name, "norm"):
			require.Equal(t, float32(1), values[0])
		default:
			require.NotZero(t, norm(values), tensor.name)
			require.Less(t, largest(values), 4.0, tensor.name)
		}
	}
	d := either(t, 20)
	model, err := p.Model()
	require.NoError(t, err)
	var in []fusion.Regions
	for m := range d.Modalities {
		r, err := d.Regions(0, m, nil)
		require.NoError(t, err)
		scale(r.Data, 0.02)
		in = append(in, r)
	}
	out, err := model.NewState().Fuse(in)
	require.NoError(t, err)
	for _, a := range out.Attention[:3] {
		if a > 0 {
			require.InDelta(t, 1/3.0, a, 0.2)
		}
	}

	_, err = New(c, 1, "place.")
	require.ErrorIs(t, err, ErrOption)
	c.Heads = 3
	_, err = New(c, 1)
	require.ErrorIs(t, err, fusion.ErrBadValue)
}

// TestReadOtherTypes reads weights of one byte as float32, and refuses what is no model.
func TestReadOtherTypes(t *testing.T) {
	p, err := New(eitherConfig(), 1)
	require.NoError(t, err)
	data, err := p.Bytes()
	require.NoError(t, err)
	f, err := safetensors.Parse(data)
	require.NoError(t, err)
	w := f.Tensor("project.left.weight")
	w.DType, w.Data = safetensors.I8, make([]byte, len(w.Data)/4)
	w.Data[0] = 0xff // −1
	scales := make([]float32, w.Shape[0])
	fill(scales, 0.25)
	f.Tensors = append(f.Tensors, safetensors.NewFloat32("project.left.weight.scale", scales, len(scales)))
	data, err = f.Bytes()
	require.NoError(t, err)
	back, err := Read(data)
	require.NoError(t, err)
	require.Equal(t, float32(-0.25), back.Tensor("project.left.weight")[0])

	_, err = Read(data[:100])
	require.ErrorIs(t, err, fusion.ErrModel)
	back.Tensor("gate.bias")[0] = float32(math.NaN())
	_, err = back.Model()
	require.ErrorIs(t, err, fusion.ErrNonFiniteTensor)
}
