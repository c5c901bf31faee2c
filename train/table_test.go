package train

import (
	"path/filepath"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// tableFile is what `ragedge features` would write.
func tableFile() *safetensors.File {
	return &safetensors.File{
		Metadata: map[string]string{"labels": `["0","1","2"]`, "groups": `["anna","ben"]`},
		Tensors: []safetensors.Tensor{
			safetensors.NewFloat32("a", []float32{1, 2, 3, 4}, 4, 1, 1), safetensors.NewInt64("a.length", []int64{1, 1, 0, 1}, 4),
			safetensors.NewInt64("label", []int64{0, 1, 2, -1}, 4), safetensors.NewInt64("group", []int64{0, 0, 1, 1}, 4),
			safetensors.NewInt64("split", []int64{0, 1, 2, 2}, 4), safetensors.NewInt64("time_ns", []int64{1, 2, 3, 4}, 4),
			safetensors.NewFloat32("target", []float32{5, 6, 7, 8}, 4),
		},
	}
}

// TestFromTable: the table in memory and the file on disk are the same data.
func TestFromTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, tableFile().WriteFile(path, 0o600))
	a, err := FromTable(tableFile(), path)
	require.NoError(t, err)
	b, err := OpenSet(path)
	require.NoError(t, err)
	defer b.Close()
	b.inputs[0].file, b.inputs[0].at = nil, 0
	require.Equal(t, b, a)
	one, err := a.digest()
	require.NoError(t, err)
	other, err := b.digest()
	require.NoError(t, err)
	require.Equal(t, one, other)
	a.Label[0] = 1
	changed, err := a.digest()
	require.NoError(t, err)
	require.NotEqual(t, one, changed)
}

func TestRename(t *testing.T) {
	s, err := FromTable(tableFile(), "x")
	require.NoError(t, err)
	require.Equal(t, []string{"7"}, s.Rename(map[string]string{"0": "empty", "1": "some", "2": "some", "7": "many"}))
	require.Equal(t, []string{"empty", "some"}, s.Labels)
	require.Equal(t, []int64{0, 1, 1, Unlabelled}, s.Label)
	require.Empty(t, s.Rename(nil))
}

func TestOnly(t *testing.T) {
	s, err := FromTable(tableFile(), "x")
	require.NoError(t, err)
	for _, tc := range []struct {
		part   string
		groups []string
		want   []int
	}{{"", nil, []int{0, 1, 2, 3}}, {"test", nil, []int{2, 3}}, {"", []string{"anna"}, []int{0, 1}}, {"train", []string{"anna", "ben"}, []int{0}}} {
		got, err := s.Only(tc.part, tc.groups)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	_, err = s.Only("exam", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = s.Only("test", []string{"anna"})
	require.ErrorIs(t, err, ErrData)
	s.Split = nil
	_, err = s.Only("test", nil)
	require.ErrorIs(t, err, ErrData)
}

// TestSees: data and model must have the same features, where both say.
func TestSees(t *testing.T) {
	const features = `{"tick":"10s","modalities":{"a":{"encoder":"window","channels":["l"],"regions":6,"every":"10s","functions":["last"]}}}`
	d := &Data{Features: features}
	require.NoError(t, d.sees(features))
	require.NoError(t, d.sees(""))
	err := d.sees(`{"tick":"10s","modalities":{"a":{"encoder":"window","channels":["l"],"regions":6,"every":"20s","functions":["last"]}}}`)
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, "modality.a.every")
}
