//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

func transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	kernel.Transpose(dst, a, rows, columns, strideDst, strideA)
}
