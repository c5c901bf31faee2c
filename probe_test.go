package ragedge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// sink keeps what a test computes only to allocate nothing.
var sink int

func TestProbeFMACountsItself(t *testing.T) {
	const block = 384 // every set's divides it
	for _, set := range KernelSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			for _, n := range []int{-1, 0} {
				require.Zero(t, ProbeFMA(n))
			}
			for _, n := range []int{1, 12, 95, 96, 97, 384, 385, probePerCall - 1, probePerCall, probePerCall + 1, 3*probePerCall + 7} {
				done := ProbeFMA(n)
				require.GreaterOrEqual(t, done, n)
				require.Less(t, done, n+block*(2+n/probePerCall), "%d are asked for", n)
				require.Zero(t, done%12, "%d are asked for", n)
			}
			require.Equal(t, 10*block, ProbeFMA(10*block), "whole blocks are not rounded")
			require.Zero(t, testing.AllocsPerRun(10, func() { sink += ProbeFMA(1000) }))
		})
	}
}

func TestProbeLoadsCountsBytes(t *testing.T) {
	x := make([]float32, 2*probePerCall+256)
	for _, set := range KernelSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			block := probeBlock()
			for _, c := range []struct{ length, times, values int }{
				{0, 5, 0},
				{block - 1, 5, 0},
				{block, 0, 0},
				{block, -1, 0},
				{block, 1, block},
				{2*block + 3, 7, 14 * block},
				{probePerCall, 3, 3 * probePerCall},
				{2*probePerCall + 128, 2, 4*probePerCall + 256},
			} {
				require.Equal(t, 4*c.values, ProbeLoads(x[:c.length], c.times), "%+v", c)
			}
			require.Zero(t, testing.AllocsPerRun(10, func() { sink += ProbeLoads(x[:1024], 3) }))
		})
	}
}
