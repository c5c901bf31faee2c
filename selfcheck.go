package ragedge

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// SelfCheck compares the kernel set in use with plain Go, on lengths that reach
// every loop and tail. It takes some milliseconds at most. After an error another
// set should be put to use, down to "generic", which cannot fail.
func SelfCheck() error {
	err := check(Dot, Softmax, GatedSum)
	if err == nil {
		err = checkProducts(MatMul, RowDots, WeightedRows)
	}
	if err == nil {
		err = checkLayers(Linear, Attention, AttentionColumns)
	}
	if err == nil {
		err = checkTranspose(Transpose)
	}
	if err == nil {
		err = checkElementwise(elementwiseKernels{LayerNorm, Tanh, Gelu, Relu, SoftmaxColumns})
	}
	if err != nil {
		return fmt.Errorf("kernel set %s: %w", KernelSet(), err)
	}
	return nil
}

func check(
	dot func(a, b []float32) float32,
	softmax func(dst, x []float32),
	gatedSum func(dst, gates, regions []float32),
) error {
	const most, rows = 140, 7
	var a, b, got, want [most]float32
	var gates [rows]float32
	var regions [rows * most]float32
	for _, x := range [][]float32{a[:], b[:], gates[:], regions[:]} {
		for i := range x {
			x[i] = float32((73*i+len(x))%101-50) / 7
		}
	}
	masked := a
	for i := 0; i < most; i += 3 {
		masked[i] = float32(math.Inf(-1))
	}

	for n := range most + 1 {
		// Both may be off by the bound, in opposite directions.
		got, want := got[:n], want[:n]
		g, w := dot(a[:n], b[:n]), kernel.Dot(a[:n], b[:n])
		if !near(g, w, 2*kernel.DotBound(a[:n], b[:n])) {
			return fmt.Errorf("dot of %d values is %v, want %v", n, g, w)
		}
		for _, x := range [][]float32{a[:n], masked[:n]} {
			softmax(got, x)
			kernel.Softmax(want, x)
			for i, w := range want {
				if !near(got[i], w, 2*kernel.SoftmaxBound(n, float64(w))) {
					return fmt.Errorf("softmax of %d values: [%d] is %v, want %v", n, i, got[i], w)
				}
			}
		}
		r := 1 + n%rows
		copy(got, b[:n])
		copy(want, b[:n])
		gatedSum(got, gates[:r], regions[:r*n])
		kernel.GatedSum(want, gates[:r], regions[:r*n])
		for j, w := range want {
			if !near(got[j], w, 2*kernel.GatedSumBound(b[:n], gates[:r], regions[:r*n], j)) {
				return fmt.Errorf("gated sum of %d rows of %d: [%d] is %v, want %v", r, n, j, got[j], w)
			}
		}
	}
	return nil
}

// near reports whether got and want differ by at most bound; NaN is near nothing.
func near(got, want float32, bound float64) bool {
	return math.Abs(float64(got)-float64(want)) <= bound
}
