//go:build !purego

package ragedge

import (
	"math"

	"github.com/ragedge/ragedge/kernel/kerneltest"
)

// assemblies holds the assembly of each set that this CPU can run. The loops of
// the gate are the same in all.
var assemblies = func() map[string]assembly {
	gate := assembly{
		kerneltest.Impl{
			Dot: dotAVX2,
			Softmax: func(dst, x []float32) {
				scaleAVX2(dst, 1/expSumAVX2(dst, x, maxAVX2(x, -math.MaxFloat32)))
			},
			GatedSum: gatedSumAVX2,
		},
		func(dst, x []float32) { expSumAVX2(dst, x, 0) },
	}
	all := map[string]assembly{}
	for _, set := range assembled() {
		all[set] = gate
	}
	return all
}()
