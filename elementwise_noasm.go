//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

func layerNorm(dst, x, weight, bias []float32) { kernel.LayerNorm(dst, x, weight, bias) }

func tanh(dst, x []float32) { kernel.Tanh(dst, x) }

func gelu(dst, x []float32) { kernel.Gelu(dst, x) }

func relu(dst, x []float32) { kernel.Relu(dst, x) }

func softmaxColumns(x []float32, rows, columns, stride int) {
	kernel.SoftmaxStrided(x, rows, columns, stride)
}
