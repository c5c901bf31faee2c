package ragedge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestTranspose(t *testing.T) {
	for _, set := range testedSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.RunTranspose(t, Transpose)
		})
	}
}

func TestTransposeDoesNotAllocate(t *testing.T) {
	a, dst := ramp(19*21), make([]float32, 19*21)
	for _, set := range KernelSets() {
		force(t, set)
		require.Zero(t, testing.AllocsPerRun(100, func() { Transpose(dst, a, 19, 21, 19, 21) }), set)
	}
}

func TestTransposeSelfCheck(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, checkTranspose(Transpose))
	}
	noTail := func(dst, a []float32, rows, columns, strideDst, strideA int) {
		Transpose(dst, a, rows&^3, columns, strideDst, strideA)
	}
	require.ErrorContains(t, checkTranspose(noTail), "transpose of 19 by 21: [0, 16] is ")
}

func BenchmarkTranspose(b *testing.B) {
	for _, n := range [][2]int{{5, 8}, {51, 32}, {197, 192}, {325, 256}} {
		a, dst := ramp(n[0]*n[1]), make([]float32, n[0]*n[1])
		b.Run(fmt.Sprintf("%dx%d", n[0], n[1]), func(b *testing.B) {
			for b.Loop() {
				Transpose(dst, a, n[0], n[1], n[0], n[1])
			}
		})
		b.Run(fmt.Sprintf("%dx%d/plain", n[0], n[1]), func(b *testing.B) {
			for b.Loop() {
				kernel.Transpose(dst, a, n[0], n[1], n[0], n[1])
			}
		})
	}
}
