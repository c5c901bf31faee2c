package kerneltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

// TestTransposeFaults shows that the checks of a transpose find what they are for.
func TestTransposeFaults(t *testing.T) {
	for name, f := range map[string]struct {
		check func(Transpose) error
		f     Transpose
	}{
		"without the last column": {transposeShapes, func(dst, a []float32, rows, columns, strideDst, strideA int) {
			kernel.Transpose(dst, a, rows, columns-columns/26, strideDst, strideA)
		}},
		"that ignores a stride": {transposeShapes, func(dst, a []float32, rows, columns, strideDst, _ int) {
			kernel.Transpose(dst, a, rows, columns, strideDst, columns)
		}},
		"that quiets NaN": {transposeShapes, func(dst, a []float32, rows, columns, strideDst, strideA int) {
			kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
			for i, v := range dst {
				if v != v {
					dst[i] = nan
				}
			}
		}},
		"that writes a whole block": {transposeShapes, func(dst, a []float32, rows, columns, strideDst, strideA int) {
			kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
			if rows == 7 && columns > 0 {
				beyond(dst)[len(dst)] = 0
			}
		}},
		"that takes what does not fit": {transposeShort, func(dst, a []float32, rows, columns, strideDst, strideA int) {
			if strideDst < rows {
				dst[0]++
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, f.check(kernel.Transpose))
			err := f.check(f.f)
			t.Log(err)
			require.Error(t, err)
		})
	}
}
