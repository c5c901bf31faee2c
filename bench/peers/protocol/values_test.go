package protocol

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadValues(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(folder+"/W.0.f32", []byte("\x00\x00\x80\x3f\x00\x00\x00\xc0"), 0o644))
	require.NoError(t, os.WriteFile(folder+"/W.1.f32", []byte("\x00\x00\x80\x3f\x00"), 0o644))
	for _, sizes := range [][]int{nil, {2}, {1, 2}} {
		values, err := ReadValues(folder, "W", "0", sizes...)
		require.NoError(t, err)
		require.Equal(t, []float32{1, -2}, values)
	}
	_, err := ReadValues(folder, "W", "0", 3)
	require.ErrorContains(t, err, "W.0.f32: 8 bytes, want 12")
	_, err = ReadValues(folder, "W", "1")
	require.ErrorContains(t, err, "W.1.f32: 5 bytes, want 4")
	_, err = ReadValues(folder, "W", "2")
	require.ErrorIs(t, err, os.ErrNotExist)
}
