package kernel_test

import (
	"testing"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestProducts(t *testing.T) {
	kerneltest.RunProducts(t, kerneltest.Products{
		MatMul: kernel.MatMul, RowDots: kernel.RowDots, WeightedRows: kernel.WeightedRows,
	})
}
