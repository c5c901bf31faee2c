//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// layerNormAVX2 is layerNorm on AVX2 and FMA; x has at least one row, no part of
// one, and dst and bias are as long as x and weight.
//
//go:noescape
func layerNormAVX2(dst, x, weight, bias []float32)

// tanhAVX2 is tanh on AVX2 and FMA; dst is as long as x.
//
//go:noescape
func tanhAVX2(dst, x []float32)

// geluAVX2 is gelu on AVX2 and FMA; dst is as long as x.
//
//go:noescape
func geluAVX2(dst, x []float32)

// reluAVX2 is relu on AVX2; dst is as long as x.
//
//go:noescape
func reluAVX2(dst, x []float32)

// softmaxColumnsAVX2 is softmaxColumns on AVX2 and FMA.
//
//go:noescape
func softmaxColumnsAVX2(x []float32, rows, columns, stride int)

// layerNorm leaves rows too long for one call to plain Go.
func layerNorm(dst, x, weight, bias []float32) {
	if useAVX2 && len(weight) <= perCall {
		layerNormAVX2(dst, x, weight, bias)
		return
	}
	kernel.LayerNorm(dst, x, weight, bias)
}

func tanh(dst, x []float32) {
	if useAVX2 {
		tanhAVX2(dst, x)
		return
	}
	kernel.Tanh(dst, x)
}

func gelu(dst, x []float32) {
	if useAVX2 {
		geluAVX2(dst, x)
		return
	}
	kernel.Gelu(dst, x)
}

func relu(dst, x []float32) {
	if useAVX2 {
		reluAVX2(dst, x)
		return
	}
	kernel.Relu(dst, x)
}

// softmaxColumns takes the softmax of the first columns of x, whose rows, at least
// one, lie stride apart. It leaves columns too long for one call to plain Go.
func softmaxColumns(x []float32, rows, columns, stride int) {
	if useAVX2 && rows <= perCall/8 {
		softmaxColumnsAVX2(x, rows, columns, stride)
		return
	}
	kernel.SoftmaxStrided(x, rows, columns, stride)
}
