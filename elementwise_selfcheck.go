package ragedge

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// elementwiseKernels are the kernels that checkElementwise compares.
type elementwiseKernels struct {
	layerNorm        func(dst, x, weight, bias []float32)
	tanh, gelu, relu func(dst, x []float32)
	softmaxColumns   func(x []float32, rows, columns int)
}

func checkElementwise(k elementwiseKernels) error {
	const most, rows = 70, 3
	exact := func(float64) float64 { return 0 }
	maps := []struct {
		name      string
		run, want func(dst, x []float32)
		bound     func(y float64) float64
	}{
		{"tanh", k.tanh, kernel.Tanh, kernel.TanhBound},
		{"gelu", k.gelu, kernel.Gelu, kernel.GeluBound},
		{"relu", k.relu, kernel.Relu, exact},
	}
	var x, got, want [rows * most]float32
	var weight, bias [most]float32
	var bound [most]float64
	for i := range x {
		x[i] = float32((73*i)%101-50) / 7
	}
	copy(weight[:], x[7:])
	copy(bias[:], x[most:])

	for n := range most + 1 {
		// Both may be off by the bound, in opposite directions.
		for _, m := range maps {
			m.run(got[:n], x[:n])
			m.want(want[:n], x[:n])
			for i, w := range want[:n] {
				if !near(got[i], w, 2*m.bound(float64(w))) {
					return fmt.Errorf("%s of %d values: [%d] is %v, want %v", m.name, n, i, got[i], w)
				}
			}
		}
		if n == 0 {
			continue
		}
		r := 1 + n%rows
		k.layerNorm(got[:r*n], x[:r*n], weight[:n], bias[:n])
		kernel.LayerNorm(want[:r*n], x[:r*n], weight[:n], bias[:n])
		for i, w := range want[:r*n] {
			if j := i % n; j == 0 {
				kernel.LayerNormBound(bound[:n], x[i:i+n], weight[:n], bias[:n])
			}
			if !near(got[i], w, 2*bound[i%n]) {
				return fmt.Errorf("layer norm of %d rows of %d: [%d] is %v, want %v", r, n, i, got[i], w)
			}
		}
		copy(got[:], x[:])
		for i := 0; i < r*n; i += 4 {
			got[i] = float32(math.Inf(-1))
		}
		want = got
		k.softmaxColumns(got[:], r, n)
		kernel.SoftmaxColumns(want[:], r, n)
		for i, w := range want[:r*n] {
			if !near(got[i], w, 2*kernel.SoftmaxBound(r, float64(w))) {
				return fmt.Errorf("softmax of %d rows of %d: [%d] is %v, want %v", r, n, i, got[i], w)
			}
		}
	}
	return nil
}
