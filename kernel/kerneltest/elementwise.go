package kerneltest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Elementwise is one implementation of the loops between the matrix products of a
// model.
type Elementwise struct {
	LayerNorm      func(dst, x, weight, bias []float32)
	Tanh           func(dst, x []float32)
	Gelu           func(dst, x []float32)
	Relu           func(dst, x []float32)
	SoftmaxColumns func(x []float32, rows, columns int)
}

// elementwiseChecks are the tests of RunElementwise, in order. Each returns the
// first fault it finds.
var elementwiseChecks = []struct {
	name string
	run  func(Elementwise) error
}{
	{"lengths", elementwiseLengths},
	{"shapes", elementwiseShapes},
	{"unequal lengths", elementwiseUnequal},
	{"long", elementwiseLong},
	{"special values", elementwiseSpecials},
	{"masks", columnMasks},
	{"offsets", layerNormOffsets},
	{"random", elementwiseRandom},
	{"guard pages", elementwiseGuards},
	{"guard pages fault", elementwiseGuardsFault},
}

// RunElementwise tests impl.
func RunElementwise(t *testing.T, impl Elementwise) {
	for _, c := range elementwiseChecks {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, c.run(impl)) })
	}
	for _, m := range impl.maps() {
		t.Run("every "+m.name, func(t *testing.T) {
			report, err := sweep(m)
			t.Log(report)
			require.NoError(t, err)
		})
	}
}
