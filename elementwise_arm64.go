//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// layerNormNEON is layerNorm on NEON; x has at least one row, no part of
// one, and dst and bias are as long as x and weight.
//
//go:noescape
func layerNormNEON(dst, x, weight, bias []float32)

// tanhNEON is tanh on NEON; dst is as long as x.
//
//go:noescape
func tanhNEON(dst, x []float32)

// geluNEON is gelu on NEON; dst is as long as x.
//
//go:noescape
func geluNEON(dst, x []float32)

// reluNEON is relu on NEON; dst is as long as x.
//
//go:noescape
func reluNEON(dst, x []float32)

// softmaxColumnsNEON is softmaxColumns on NEON.
//
//go:noescape
func softmaxColumnsNEON(x []float32, rows, columns, stride int)

// layerNorm leaves rows too long for one call to plain Go.
func layerNorm(dst, x, weight, bias []float32) {
	if useNEON && len(weight) <= perCall {
		layerNormNEON(dst, x, weight, bias)
		return
	}
	kernel.LayerNorm(dst, x, weight, bias)
}

func tanh(dst, x []float32) {
	if useNEON {
		tanhNEON(dst, x)
		return
	}
	kernel.Tanh(dst, x)
}

func gelu(dst, x []float32) {
	if useNEON {
		geluNEON(dst, x)
		return
	}
	kernel.Gelu(dst, x)
}

func relu(dst, x []float32) {
	if useNEON {
		reluNEON(dst, x)
		return
	}
	kernel.Relu(dst, x)
}

// softmaxColumns takes the softmax of the first columns of x, whose rows, at least
// one, lie stride apart. It leaves columns too long for one call to plain Go.
func softmaxColumns(x []float32, rows, columns, stride int) {
	if useNEON && rows <= perCall/8 {
		softmaxColumnsNEON(x, rows, columns, stride)
		return
	}
	kernel.SoftmaxStrided(x, rows, columns, stride)
}
