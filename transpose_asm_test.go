//go:build (amd64 || arm64) && !purego

package ragedge

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

// TestForcedTransposeRuns shows that the set asked for computes, although all give the
// same bits: one block in its own place, which callers may not ask for, comes out right
// only where it is loaded as a whole before any of it is stored.
func TestForcedTransposeRuns(t *testing.T) {
	const n = transposeBlock
	want := make([]float32, n*n)
	kernel.Transpose(want, ramp(n*n), n, n, n, n)
	for _, set := range KernelSets() {
		force(t, set)
		a := ramp(n * n)
		Transpose(a, a, n, n, n, n)
		if set == "generic" {
			require.NotEqual(t, want, a)
		} else {
			require.Equal(t, want, a, set)
		}
	}
}
