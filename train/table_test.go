package train

import (
	"bytes"
	"os"
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

// memory is a file that is in memory.
type memory struct {
	*bytes.Reader
	closed int
}

func (m *memory) Close() error {
	m.closed++
	return nil
}

func readTable(t *testing.T) *Set {
	data, err := tableFile().Bytes()
	require.NoError(t, err)
	s, err := ReadSet(&memory{Reader: bytes.NewReader(data)}, "x")
	require.NoError(t, err)
	return s
}

// TestReadSet: whatever a file is in, and whether it is read as a whole or not, the data
// are the same. It is closed once.
func TestReadSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, tableFile().WriteFile(path, 0o600))
	a, err := OpenSet(path)
	require.NoError(t, err)
	require.Equal(t, path, a.Name)
	require.Equal(t, []string{"anna", "ben"}, a.Groups)
	one, err := a.digest()
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, limit := range []int64{0, inMemory} {
		was := inMemory
		inMemory = limit
		file := &memory{Reader: bytes.NewReader(data)}
		b, err := ReadSet(file, path)
		inMemory = was
		require.NoError(t, err)
		require.Equal(t, limit > 0, file.closed == 1)
		other, err := b.digest()
		require.NoError(t, err)
		require.Equal(t, one, other)
		require.NoError(t, b.Close())
		require.Equal(t, 1, file.closed)
		require.Equal(t, []any{a.Modalities, a.Labels, a.Groups, a.Label, a.Group, a.Split, a.Time, a.Target, a.Targets},
			[]any{b.Modalities, b.Labels, b.Groups, b.Label, b.Group, b.Split, b.Time, b.Target, b.Targets})
	}
	a.Label[0] = 1
	changed, err := a.digest()
	require.NoError(t, err)
	require.NotEqual(t, one, changed)
	file := &memory{Reader: bytes.NewReader(data[:len(data)-1])}
	_, err = ReadSet(file, path)
	require.ErrorIs(t, err, ErrData)
	require.Equal(t, 1, file.closed)
}

func TestRename(t *testing.T) {
	s := readTable(t)
	require.Equal(t, []string{"7"}, s.Rename(map[string]string{"0": "empty", "1": "some", "2": "some", "7": "many"}))
	require.Equal(t, []string{"empty", "some"}, s.Labels)
	require.Equal(t, []int64{0, 1, 1, Unlabelled}, s.Label)
	require.Empty(t, s.Rename(nil))
}

// TestRenameNumbers: labels without names stay the numbers that they are.
func TestRenameNumbers(t *testing.T) {
	for name, tc := range map[string]struct {
		names   map[string]string
		unknown []string
	}{
		"nothing":  {nil, nil},
		"a number": {map[string]string{"1": "some"}, []string{"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := readTable(t)
			s.Labels = nil
			require.Equal(t, tc.unknown, s.Rename(tc.names))
			require.Nil(t, s.Labels)
			require.Equal(t, []int64{0, 1, 2, Unlabelled}, s.Label)
		})
	}
}

func TestOnly(t *testing.T) {
	s := readTable(t)
	for _, tc := range []struct {
		part   string
		groups []string
		want   []int
	}{{"", nil, []int{0, 1, 2, 3}}, {"test", nil, []int{2, 3}}, {"", []string{"anna"}, []int{0, 1}}, {"train", []string{"anna", "ben"}, []int{0}}} {
		got, err := s.Only(tc.part, tc.groups)
		require.NoError(t, err)
		require.Equal(t, tc.want, got)
	}
	_, err := s.Only("exam", nil)
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
