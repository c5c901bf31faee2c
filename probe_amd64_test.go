//go:build !purego

package ragedge

import (
	"testing"

	"github.com/klauspost/cpuid/v2"
	"github.com/stretchr/testify/require"
)

// TestProbeBlocks counts what an iteration of each loop does, whether or not
// there are kernels for the CPU's widest vectors.
func TestProbeBlocks(t *testing.T) {
	if !cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		t.Skip("this CPU has no AVX2")
	}
	x := make([]float32, 512)
	for n, want := range map[int]float32{1: 96, 96: 96, 97: 192, 9600: 9600} {
		require.Equal(t, want, fmaAVX2(n), n)
	}
	loadsAVX2(x, 2)
	if !cpuid.CPU.Supports(cpuid.AVX512F) {
		t.Skip("this CPU has no AVX-512")
	}
	for n, want := range map[int]float32{1: 384, 384: 384, 385: 768, 9600: 9600} {
		require.Equal(t, want, fmaAVX512(n), n)
	}
	loadsAVX512(x, 2)
}
