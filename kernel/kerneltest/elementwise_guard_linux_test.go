package kerneltest

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

func TestElementwiseGuardFaults(t *testing.T) {
	for name, change := range map[string]func(*Elementwise){
		"gelu that reads on": func(k *Elementwise) {
			k.Gelu = func(dst, x []float32) {
				last := beyond(x)[len(x)]
				kernel.Gelu(dst, x)
				if len(dst) > 0 {
					dst[0] += 0 * last
				}
			}
		},
		"layer norm that reads before": func(k *Elementwise) {
			k.LayerNorm = func(dst, x, weight, bias []float32) {
				if len(weight) > 0 {
					dst[0] = *(*float32)(unsafe.Add(unsafe.Pointer(&weight[0]), -4))
				}
				kernel.LayerNorm(dst, x, weight, bias)
			}
		},
		"softmax of columns that reads on": func(k *Elementwise) {
			k.SoftmaxColumns = func(x []float32, rows, columns int) {
				last := beyond(x)[len(x)]
				kernel.SoftmaxColumns(x, rows, columns)
				if len(x) > 0 {
					x[0] += 0 * last
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := plainElementwise
			change(&k)
			require.Error(t, elementwiseGuards(k))
		})
	}
	nothing := func(dst, x []float32) {}
	require.Error(t, elementwiseGuardsFault(Elementwise{
		func(dst, x, weight, bias []float32) {}, nothing, nothing, nothing, func(x []float32, rows, columns int) {},
	}))
}
