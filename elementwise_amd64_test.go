//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

// elementwiseAssembly is the assembly of every set but generic, without dispatch.
var elementwiseAssembly = &kerneltest.Elementwise{
	LayerNorm: layerNormAVX2, Tanh: tanhAVX2, Gelu: geluAVX2, Relu: reluAVX2,
	SoftmaxColumns: func(x []float32, rows, columns int) { softmaxColumnsAVX2(x, rows, columns, columns) },
}
