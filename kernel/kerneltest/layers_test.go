package kerneltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

type attentionFunc = func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int)

func withAttention(f attentionFunc) Layers {
	k := PlainLayers
	k.Attention = f
	return k
}

// TestLayerFaults shows that the checks of layers and of attention find what they are
// for.
func TestLayerFaults(t *testing.T) {
	noActivation, allColumns, whole := PlainLayers, PlainLayers, PlainLayers
	noActivation.Linear = func(dst, x []float32, rows int, w *kernel.Packed, bias []float32, act kernel.Activation, stride, first, end int) {
		if first > 0 {
			act = kernel.Identity
		}
		kernel.Linear(dst, x, rows, w, bias, act, stride, first, end)
	}
	allColumns.Linear = func(dst, x []float32, rows int, w *kernel.Packed, bias []float32, act kernel.Activation, stride, first, _ int) {
		kernel.Linear(dst, x, rows, w, bias, act, stride, first, w.Out())
	}
	whole.Linear = func(dst, x []float32, rows int, w *kernel.Packed, bias []float32, act kernel.Activation, stride, first, end int) {
		if kernel.MatMulFits(dst, x, rows, w, bias) && first >= 0 && end <= w.Out() {
			kernel.Linear(dst, x, rows, w, bias, act, stride, first/kernel.PanelWidth*kernel.PanelWidth, max(first, end))
		}
	}
	for name, f := range map[string]struct {
		check  func(Layers) error
		layers Layers
	}{
		"layer without its activation":      {linearShapes, noActivation},
		"layer with columns not asked for":  {linearShapes, allColumns},
		"layer that takes any first column": {layersShort, whole},
		"attention without the last key": {attentionShapes, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
			if n == 17 {
				keys, values = keys[:depth*n], values[:(n-1)*width]
				kept := make([]float32, depth*(n-1))
				for k := range depth {
					copy(kept[k*(n-1):(k+1)*(n-1)], keys[k*n:])
				}
				keys, n = kept, n-1
			}
			kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
		})},
		"attention that only knows one block": {attentionBlocks, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
			kept, few := make([]float32, 0, len(keys)), min(n, kernel.KeyBlock)
			for k := range depth {
				kept = append(kept, keys[k*n:k*n+few]...)
			}
			kernel.Attention(dst, q, kept, values, scores, rows, few, depth, width, strideDst, strideQ)
		})},
		"attention that ignores a stride": {attentionStrides, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, _ int) {
			kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, depth)
		})},
		"attention whose rows depend on each other": {attentionAlone, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
			kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
			if rows > 1 && n > kernel.KeyBlock {
				dst[0] *= 1 + 0x1p-23
			}
		})},
		"attention that hides NaN": {attentionSpecials, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
			kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
			for i, v := range dst {
				if v != v {
					dst[i] = 0
				}
			}
		})},
		"attention that needs more room": {attentionShapes, withAttention(func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
			kernel.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ)
			if rows == 13 && n > 0 {
				beyond(scores)[len(scores)] = 0
			}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, f.check(PlainLayers))
			err := f.check(f.layers)
			t.Log(err)
			require.Error(t, err)
		})
	}
}
