package ragedge

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

var publicLayers = kerneltest.Layers{
	MatMul: MatMul, Relu: Relu, Gelu: Gelu, Linear: Linear, Attention: Attention,
	AttentionColumns: AttentionColumns,
}

func TestLayers(t *testing.T) {
	for _, set := range testedSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.RunLayers(t, publicLayers)
		})
	}
}

// layerOutcome is what an implementation computes from fixed input long enough for
// rounding to tell implementations apart.
func layerOutcome(k kerneltest.Layers) map[string][]float32 {
	const rows, out, in = 7, 37, 53
	x, weight := ramp(rows*in), ramp(out*in)
	w := Pack(weight, out, in)
	layer, attended := make([]float32, rows*out), make([]float32, rows*in)
	k.Linear(layer, x, rows, &w, weight, GELU, out, 0, out)
	k.Attention(attended, weight, x, weight, make([]float32, AttentionScores(rows, out)), rows, out, 10, in, in, in)
	columns := make([]float32, rows*in)
	k.AttentionColumns(columns, weight, x, weight[7:], make([]float32, AttentionColumnsScores(rows, in)), 30, rows, in, 12, 30, 30, in)
	return map[string][]float32{"columns": columns, "layer": layer, "attention": attended}
}

// TestForcedLayersRun shows that the set asked for computes: assembly gives other
// bits than plain Go.
func TestForcedLayersRun(t *testing.T) {
	plain := layerOutcome(kerneltest.PlainLayers)
	for _, set := range KernelSets() {
		force(t, set)
		got := layerOutcome(publicLayers)
		if set == "generic" {
			require.Equal(t, plain, got)
			continue
		}
		for name := range plain {
			require.NotEqual(t, plain[name], got[name], "%s: %s cannot be told from plain Go", set, name)
		}
	}
}

func TestLayersDoNotAllocate(t *testing.T) {
	const rows, n = 30, 40
	x, dst := ramp(rows*n), make([]float32, rows*n)
	w := Pack(ramp(n*n), n, n)
	scores, wide := make([]float32, AttentionScores(rows, n)), make([]float32, AttentionColumnsScores(rows, n))
	for _, set := range KernelSets() {
		force(t, set)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			Linear(dst, x, rows, &w, nil, GELU, n, 0, n)
			Attention(dst, x, x, x, scores, rows, rows, n, n, n, n)
			AttentionColumns(dst, x, x, x, wide, rows, rows, n, n, rows, rows, n)
		}), set)
	}
}

func TestLayersSelfCheck(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, checkLayers(Linear, Attention, AttentionColumns))
	}
	noColumns := func(dst, x []float32, rows int, w *Packed, bias []float32, act Activation, stride, _, end int) {
		Linear(dst, x, rows, w, bias, act, stride, 0, end)
	}
	require.ErrorContains(t, checkLayers(noColumns, Attention, AttentionColumns), "layer of 9 rows: [0, 16] is ")
	oneBlock := func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
		kernel.Attention(dst, q, keys, values, scores, rows, min(n, kernel.KeyBlock), depth, width, strideDst, strideQ)
	}
	require.ErrorContains(t, checkLayers(Linear, oneBlock, AttentionColumns), "attention to 261 keys: [0, 0] is ")
	noMax := func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
		AttentionColumns(dst, q, keys, values, scores, rows, n-1, depth, width, strideDst, strideQ, strideKeys)
	}
	require.ErrorContains(t, checkLayers(Linear, Attention, noMax), "attention of columns to ")
}
