//go:build (amd64 || arm64) && !purego

package ragedge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTransposeAssembled shows that the assembly computes by itself: its bits are those of
// plain Go, so only a call of its own can tell.
func TestTransposeAssembled(t *testing.T) {
	if len(assembled()) == 0 {
		t.Skip("this CPU has no assembly set")
	}
	const n = 16
	a, dst, want := ramp(n*n), make([]float32, n*n), make([]float32, n*n)
	for j := 0; j < n; j += transposeBlock {
		transposeBlocks(&dst[j*n], &a[j], n/transposeBlock, 4*n, 4*n)
	}
	force(t, "generic")
	Transpose(want, a, n, n, n, n)
	require.Equal(t, want, dst)
}
