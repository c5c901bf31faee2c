// Package kerneltest holds the tests that every implementation of the kernels
// must pass: plain Go, each assembly by itself, and the dispatching functions
// with each kernel set forced.
//
// The oracle is the exact result in float64, not another float32 kernel, and the
// allowed distance is the bound that package kernel states for each kernel.
package kerneltest

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

// A run with -short, which is for emulators and the race detector, takes every check on
// fewer samples. These still reach each loop and each tail of every implementation.

var exhaustive = flag.Bool("exhaustive", false, "test a million random inputs and every float32 exponential")

// Impl is one implementation of the three kernels.
type Impl struct {
	Dot      func(a, b []float32) float32
	Softmax  func(dst, x []float32)
	GatedSum func(dst, gates, regions []float32)
}

// checks are the tests of Run, in order. Each returns the first fault it finds.
var checks = []struct {
	name string
	run  func(Impl) error
}{
	{"lengths", lengths},
	{"rows", rows},
	{"unequal lengths", unequal},
	{"long", long},
	{"overlap", overlap},
	{"special values", specials},
	{"masks", masks},
	{"wide range", wideRange},
	{"random", random},
	{"guard pages", guardPages},
	{"guard pages fault", guardsFault},
}

// stride is the step through all samples: 1, or n in a short run.
func stride(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

// Run tests impl.
func Run(t *testing.T, impl Impl) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, c.run(impl)) })
	}
}
