//go:build !purego

package ragedge

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel/kerneltest"
)

// assemblies holds the assembly of each set that this CPU can run.
var assemblies = func() map[string]assembly {
	all := map[string]assembly{
		"avx2": {
			kerneltest.Impl{Dot: dotAVX2, Softmax: softmaxAVX2, GatedSum: gatedSumAVX2},
			func(dst, x []float32) { expSumAVX2(dst, x, 0) },
		},
		"avx512": {
			kerneltest.Impl{Dot: dotAVX512, Softmax: softmaxAVX512, GatedSum: gatedSumAVX512},
			func(dst, x []float32) { expSumAVX512(dst, x, 0) },
		},
	}
	maps.DeleteFunc(all, func(set string, _ assembly) bool { return !slices.Contains(assembled(), set) })
	return all
}()

// TestAVX512HasLoopsOfItsOwn tells the sets apart by their bits.
func TestAVX512HasLoopsOfItsOwn(t *testing.T) {
	if !hasAVX512 {
		t.Skip("this CPU has no AVX-512")
	}
	results := func(set string) map[string][]float32 {
		force(t, set)
		all := outcome(public)
		maps.Copy(all, elementwiseOutcome(publicElementwise))
		// A single sum may well have the same bits.
		x, dst := ramp(300), make([]float32, 300)
		for n := range x {
			Softmax(dst[:n], x[:n])
			all["softmax"] = append(all["softmax"], dst[0])
			all["dot"] = append(all["dot"], Dot(x[:n], x[:n]))
		}
		return all
	}
	narrow, wide := results("avx2"), results("avx512")
	for name := range narrow {
		switch name {
		case "tanh", "gelu", "softmax of columns":
			require.Equal(t, narrow[name], wide[name], "%s has the same steps in each lane", name)
		default:
			require.NotEqual(t, narrow[name], wide[name], name)
		}
	}
}

// softmaxSteps are the steps of a softmax by set.
var softmaxSteps = map[string]func(dst, x []float32){
	"avx2": func(dst, x []float32) {
		scaleAVX2(dst, 1/max(expSumAVX2(dst, x, maxAVX2(x, -math.MaxFloat32)), 1))
	},
	"avx512": func(dst, x []float32) {
		scaleAVX512(dst, 1/max(expSumAVX512(dst, x, maxAVX512(x, -math.MaxFloat32)), 1))
	},
}

// TestAssembled runs the assembly on the lengths that dispatch leaves to another set,
// too, and a softmax both at once and in steps; with -short that of the set in use.
func TestAssembled(t *testing.T) {
	for set, a := range assemblies {
		if testing.Short() && set != KernelSet() {
			continue
		}
		for name, softmax := range map[string]func(dst, x []float32){"at once": a.Softmax, "in steps": softmaxSteps[set]} {
			t.Run(set+" "+name, func(t *testing.T) {
				kerneltest.Run(t, kerneltest.Impl{
					Dot: func(x, y []float32) float32 {
						n := min(len(x), len(y))
						return a.Dot(x[:n], y[:n])
					},
					Softmax: func(dst, x []float32) {
						if n := min(len(dst), len(x)); n > 0 {
							softmax(dst[:n], x[:n])
						}
					},
					GatedSum: func(dst, gates, regions []float32) {
						if len(dst) > 0 && len(gates) > 0 {
							a.GatedSum(dst, gates[:min(len(gates), len(regions)/len(dst))], regions)
						}
					},
				})
			})
		}
	}
}
