//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

// elementwiseAssembly is the assembly of every set but generic, without dispatch.
var elementwiseAssembly = &kerneltest.Elementwise{
	LayerNorm: layerNormNEON, Tanh: tanhNEON, Gelu: geluNEON, Relu: reluNEON,
	SoftmaxColumns: func(x []float32, rows, columns int) { softmaxColumnsNEON(x, rows, columns, columns) },
}
