package kernel_test

import (
	"testing"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestElementwise(t *testing.T) {
	kerneltest.RunElementwise(t, kerneltest.Elementwise{
		LayerNorm:      kernel.LayerNorm,
		Tanh:           kernel.Tanh,
		Gelu:           kernel.Gelu,
		Relu:           kernel.Relu,
		SoftmaxColumns: kernel.SoftmaxColumns,
	})
}
