package safetensors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse holds that what is accepted describes every byte once and can be
// written back to the same content.
func FuzzParse(f *testing.F) {
	for _, class := range refused {
		for _, data := range class.files {
			if len(data) < 4096 {
				f.Add(data)
			}
		}
	}
	data, err := sample().Bytes()
	require.NoError(f, err)
	f.Add(data)
	f.Add(pack(good, "12345678"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		total := 0
		for _, tensor := range file.Tensors {
			n, err := tensor.bytes(MaxSize)
			require.NoError(t, err)
			require.Len(t, tensor.Data, int(n))
			total += int(n)
		}
		header, err := headerLength(data[:8], int64(len(data)), MaxSize)
		require.NoError(t, err)
		require.Equal(t, len(data), 8+header+total)
		written, err := file.Bytes()
		if err != nil { // escapes of a header at its limit may grow
			require.Greater(t, header, MaxHeader/8)
			return
		}
		again, err := Parse(written)
		require.NoError(t, err)
		require.Equal(t, file.Metadata, again.Metadata)
		require.Len(t, again.Tensors, len(file.Tensors))
		for _, tensor := range file.Tensors {
			require.Equal(t, tensor, *again.Tensor(tensor.Name))
		}
	})
}
