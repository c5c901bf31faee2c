//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

// elementwiseAssemblies is the assembly of each set, without dispatch.
var elementwiseAssemblies = map[string]kerneltest.Elementwise{"neon": {
	LayerNorm: layerNormNEON, Tanh: tanhNEON, Gelu: geluNEON, Relu: reluNEON,
	SoftmaxColumns: func(x []float32, rows, columns int) { softmaxColumnsNEON(x, rows, columns, columns) },
}}
