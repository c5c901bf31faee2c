//go:build !purego

package ragedge

import (
	"math"

	"github.com/ragedge/ragedge/kernel/kerneltest"
)

// assemblies holds the assembly of each set.
var assemblies = map[string]assembly{"neon": {
	kerneltest.Impl{
		Dot: dotNEON,
		Softmax: func(dst, x []float32) {
			scaleNEON(dst, 1/expSumNEON(dst, x, maxNEON(x, -math.MaxFloat32)))
		},
		GatedSum: gatedSumNEON,
	},
	func(dst, x []float32) { expSumNEON(dst, x, 0) },
}}
