package daemon

import (
	"testing"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// A run for a client gives what the model gives, and leaves the decisions alone.
func TestFuseBesideTheDecisions(t *testing.T) {
	d, seen := newPushed(t)
	input := &safetensors.File{Tensors: []safetensors.Tensor{safetensors.NewFloat32("light", []float32{5}, 1, 1)}}
	out, err := d.Fuse(input)
	require.NoError(t, err)
	values, err := out.Tensor("logits").Float32s()
	require.NoError(t, err)
	require.Equal(t, []float32{-5, 5}, values)
	require.Zero(t, seen.len())
	require.Zero(t, d.Status().Decisions)

	for _, bad := range []safetensors.Tensor{
		safetensors.NewFloat32("smell", []float32{5}, 1, 1),
		safetensors.NewFloat32("light", []float32{5, 6}, 1, 2),
		safetensors.NewFloat32("light", make([]float32, mostExamples+1), mostExamples+1, 1, 1),
	} {
		_, err := d.Fuse(&safetensors.File{Tensors: []safetensors.Tensor{bad}})
		require.ErrorIs(t, err, api.ErrInvalid, bad.Name)
	}

	m, err := d.Model()
	require.NoError(t, err)
	require.Equal(t, "tiny", m.Name)
	require.Equal(t, d.Status().Model.Digest, m.Digest)
	require.Contains(t, string(m.Features), `"encoder":"push"`)
	require.Nil(t, m.Card)
	require.Equal(t, []api.TensorInfo{{Name: "light", Datatype: "FP32", Shape: []int{-1, 1}}, {Name: "air", Datatype: "FP32", Shape: []int{-1, 1}}}, m.Inputs)
	for _, o := range m.Outputs {
		if tensor := out.Tensor(o.Name); tensor == nil || len(tensor.Shape) != len(o.Shape) {
			require.Fail(t, "no output "+o.Name+" of that rank")
		}
	}
	require.Len(t, m.Outputs, len(out.Tensors))
}

func TestFuseNeedsAModel(t *testing.T) {
	d, err := New(quiet(airSensor()), Environment{Notify: &notes{}})
	require.NoError(t, err)
	_, err = d.Fuse(&safetensors.File{})
	require.ErrorIs(t, err, api.ErrNotReady)
	_, err = d.Model()
	require.ErrorIs(t, err, api.ErrNotReady)
}
