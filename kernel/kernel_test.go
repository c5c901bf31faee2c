package kernel_test

import (
	"testing"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestKernels(t *testing.T) {
	kerneltest.Run(t, kerneltest.Impl{Dot: kernel.Dot, Softmax: kernel.Softmax, GatedSum: kernel.GatedSum})
}

func TestExp(t *testing.T) {
	kerneltest.RunExp(t, func(dst, x []float32) {
		for i, v := range x {
			dst[i] = kernel.Exp(v)
		}
	})
}
