package kerneltest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

var plainElementwise = Elementwise{
	kernel.LayerNorm, kernel.Tanh, kernel.Gelu, kernel.Relu, kernel.SoftmaxColumns,
}

// TestElementwiseFaults shows that the checks find what they are for.
func TestElementwiseFaults(t *testing.T) {
	for name, f := range map[string]struct {
		check  func(Elementwise) error
		change func(*Elementwise)
	}{
		"tanh without its tail": {elementwiseLengths, func(k *Elementwise) {
			k.Tanh = func(dst, x []float32) { kernel.Tanh(dst, x[:len(x)&^3]) }
		}},
		"gelu that writes on": {elementwiseLengths, func(k *Elementwise) {
			k.Gelu = func(dst, x []float32) {
				kernel.Gelu(dst, x)
				if len(dst) > 0 {
					beyond(dst)[len(dst)] = 0
				}
			}
		}},
		"relu that fails in place": {elementwiseLengths, func(k *Elementwise) {
			k.Relu = func(dst, x []float32) { clear(dst); kernel.Relu(dst, x) }
		}},
		"relu of NaN is 0": {elementwiseSpecials, func(k *Elementwise) {
			k.Relu = func(dst, x []float32) {
				for i, v := range x {
					dst[i] = 0
					if v > 0 {
						dst[i] = v
					}
				}
			}
		}},
		"gelu by 1 + erf": {elementwiseSpecials, func(k *Elementwise) {
			k.Gelu = each(func(v float32) float32 {
				return v / 2 * float32(1+math.Erf(float64(v)/math.Sqrt2))
			})
		}},
		"tanh that loses the sign of 0": {elementwiseSpecials, func(k *Elementwise) {
			k.Tanh = func(dst, x []float32) {
				kernel.Tanh(dst, x)
				for i := range dst {
					dst[i] += 0
				}
			}
		}},
		"tanh of one call's worth": {elementwiseLong, func(k *Elementwise) {
			k.Tanh = func(dst, x []float32) { kernel.Tanh(dst, x[:min(len(x), 1<<17)]) }
		}},
		"layer norm that mixes rows": {elementwiseShapes, func(k *Elementwise) {
			k.LayerNorm = func(dst, x, weight, bias []float32) {
				n := len(weight)
				kernel.LayerNorm(dst, x, weight, bias)
				if len(x) > 2*n {
					copy(dst[2*n:], dst[:n])
				}
			}
		}},
		"layer norm in one pass": {layerNormOffsets, func(k *Elementwise) { k.LayerNorm = onePassNorm }},
		"layer norm of a part of a row": {elementwiseUnequal, func(k *Elementwise) {
			k.LayerNorm = func(dst, x, weight, bias []float32) {
				n := len(weight)
				kernel.LayerNorm(dst, x, weight, bias)
				if rest := len(x) % max(n, 1); rest > 0 && len(dst) >= len(x) {
					at := len(x) - rest
					kernel.LayerNorm(dst[at:at+rest], x[at:], weight[:rest], bias)
				}
			}
		}},
		"layer norm that hides NaN": {elementwiseSpecials, func(k *Elementwise) {
			k.LayerNorm = func(dst, x, weight, bias []float32) {
				kernel.LayerNorm(dst, x, weight, bias)
				for i, v := range dst {
					if v != v {
						dst[i] = 0
					}
				}
			}
		}},
		"softmax of the first eight columns": {elementwiseShapes, func(k *Elementwise) {
			k.SoftmaxColumns = func(x []float32, rows, columns int) {
				kernel.SoftmaxStrided(x, rows, min(columns, 8), columns)
			}
		}},
		"softmax along the rows": {elementwiseShapes, func(k *Elementwise) {
			k.SoftmaxColumns = func(x []float32, rows, columns int) {
				for i := range rows {
					kernel.Softmax(x[i*columns:(i+1)*columns], x[i*columns:(i+1)*columns])
				}
			}
		}},
		"softmax that lets a mask through": {columnMasks, func(k *Elementwise) {
			k.SoftmaxColumns = func(x []float32, rows, columns int) {
				for i := range x {
					x[i] = max(x[i], -30)
				}
				kernel.SoftmaxColumns(x, rows, columns)
			}
		}},
		"softmax in half precision": {elementwiseRandom, func(k *Elementwise) {
			k.SoftmaxColumns = func(x []float32, rows, columns int) {
				kernel.SoftmaxColumns(x, rows, columns)
				for i, v := range x[:rows*columns] {
					x[i] = float32(math.Round(float64(v)*4096) / 4096)
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := plainElementwise
			require.NoError(t, f.check(k))
			f.change(&k)
			require.Error(t, f.check(k))
		})
	}
}

// onePassNorm takes the variance from the sum of squares, which a large mean
// swallows.
func onePassNorm(dst, x, weight, bias []float32) {
	n := len(weight)
	for ; n > 0 && len(x) >= n; dst, x = dst[n:], x[n:] {
		var sum, squares float32
		for _, v := range x[:n] {
			sum += v
			squares += float32(v * v)
		}
		mean := float32(sum / float32(n))
		variance := max(float32(squares/float32(n))-float32(mean*mean), 0)
		for j, v := range x[:n] {
			dst[j] = (v-mean)/float32(math.Sqrt(float64(variance)+1e-5))*weight[j] + bias[j]
		}
	}
}

func TestSweepFaults(t *testing.T) {
	for name, f := range map[string]mapping{
		"tanh 3 ulp off": {"tanh", each(func(v float32) float32 {
			y := float32(math.Tanh(float64(v)))
			if v > 2 && v < 2.5 {
				y = math.Float32frombits(math.Float32bits(y) - 3)
			}
			return y
		}), plainElementwise.maps()[0].exact, kernel.TanhBound},
		"tanh that is not odd": {"tanh", each(func(v float32) float32 {
			y := float32(math.Tanh(float64(v)))
			if v > 2 && v < 2.5 {
				y = math.Float32frombits(math.Float32bits(y) - 1)
			}
			return y
		}), plainElementwise.maps()[0].exact, kernel.TanhBound},
		"gelu that ends early": {"gelu", each(func(v float32) float32 {
			if v < -13 {
				return float32(math.Copysign(0, -1))
			}
			return float32(exactGelu(v))
		}), exactGelu, kernel.GeluBound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sweep(f)
			require.Error(t, err)
		})
	}
}
