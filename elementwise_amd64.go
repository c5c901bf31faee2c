//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

// layerNormAVX2 is layerNorm on AVX2 and FMA; x has at least one row, no part of
// one, and dst and bias are as long as x and weight.
//
//go:noescape
func layerNormAVX2(dst, x, weight, bias []float32)

// layerNormAVX512 is layerNormAVX2 on AVX-512.
//
//go:noescape
func layerNormAVX512(dst, x, weight, bias []float32)

// tanhAVX2 is tanh on AVX2 and FMA; dst is as long as x.
//
//go:noescape
func tanhAVX2(dst, x []float32)

// tanhAVX512 is tanhAVX2 on AVX-512.
//
//go:noescape
func tanhAVX512(dst, x []float32)

// geluAVX2 is gelu on AVX2 and FMA; dst is as long as x.
//
//go:noescape
func geluAVX2(dst, x []float32)

// geluAVX512 is geluAVX2 on AVX-512.
//
//go:noescape
func geluAVX512(dst, x []float32)

// reluAVX2 is relu on AVX2; dst is as long as x.
//
//go:noescape
func reluAVX2(dst, x []float32)

// reluAVX512 is reluAVX2 on AVX-512.
//
//go:noescape
func reluAVX512(dst, x []float32)

// softmaxColumnsAVX2 is softmaxColumns on AVX2 and FMA.
//
//go:noescape
func softmaxColumnsAVX2(x []float32, rows, columns, stride int)

// softmaxColumnsAVX512 is softmaxColumns on AVX-512; columns is a multiple of 16 and
// not 0.
//
//go:noescape
func softmaxColumnsAVX512(x []float32, rows, columns, stride int)

// layerNorm leaves rows too long for one call to plain Go, and rows that fill no
// vector of AVX-512 to AVX2.
func layerNorm(dst, x, weight, bias []float32) {
	if useAVX512 && len(weight) >= 16 && len(weight) <= perCall {
		layerNormAVX512(dst, x, weight, bias)
		return
	}
	if useAVX2 && len(weight) <= perCall {
		layerNormAVX2(dst, x, weight, bias)
		return
	}
	kernel.LayerNorm(dst, x, weight, bias)
}

// tanh takes AVX-512 as soon as one vector of it replaces two, and so does gelu.
func tanh(dst, x []float32) {
	if useAVX512 && len(x) > 8 {
		tanhAVX512(dst, x)
		return
	}
	if useAVX2 {
		tanhAVX2(dst, x)
		return
	}
	kernel.Tanh(dst, x)
}

func gelu(dst, x []float32) {
	if useAVX512 && len(x) > 8 {
		geluAVX512(dst, x)
		return
	}
	if useAVX2 {
		geluAVX2(dst, x)
		return
	}
	kernel.Gelu(dst, x)
}

func relu(dst, x []float32) {
	if useAVX512 && len(x) >= wide {
		reluAVX512(dst, x)
		return
	}
	if useAVX2 {
		reluAVX2(dst, x)
		return
	}
	kernel.Relu(dst, x)
}

// softmaxColumns takes the softmax of the first columns of x, whose rows, at least
// one, lie stride apart. It leaves columns too long for one call to plain Go, and
// those that fill no vector of AVX-512 to AVX2, whose loads reach less far into the
// next row. These come first, while no store to their cache lines is in flight.
func softmaxColumns(x []float32, rows, columns, stride int) {
	if !useAVX2 || rows > perCall/8 {
		kernel.SoftmaxStrided(x, rows, columns, stride)
		return
	}
	whole := 0
	if useAVX512 {
		whole = columns &^ 15
	}
	if whole < columns {
		softmaxColumnsAVX2(x[whole:], rows, columns-whole, stride)
	}
	if whole > 0 {
		softmaxColumnsAVX512(x, rows, whole, stride)
	}
}
