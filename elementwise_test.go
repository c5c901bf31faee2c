package ragedge

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

var (
	publicElementwise = kerneltest.Elementwise{
		LayerNorm: LayerNorm, Tanh: Tanh, Gelu: Gelu, Relu: Relu, SoftmaxColumns: SoftmaxColumns,
	}
	genericElementwise = kerneltest.Elementwise{
		LayerNorm: kernel.LayerNorm, Tanh: kernel.Tanh, Gelu: kernel.Gelu, Relu: kernel.Relu,
		SoftmaxColumns: kernel.SoftmaxColumns,
	}
)

func TestElementwise(t *testing.T) {
	for _, set := range testedSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.RunElementwise(t, publicElementwise)
		})
	}
}

// elementwiseOutcome is the bits that an implementation computes from fixed input
// long enough for rounding to tell implementations apart.
func elementwiseOutcome(k kerneltest.Elementwise) map[string][]float32 {
	const n = 1203
	var x, weight, tanh, gelu, norm, columns [n]float32
	for i := range x {
		x[i] = 1.2 * float32(math.Sin(float64(i)))
		weight[i] = float32(math.Cos(float64(i)))
	}
	copy(columns[:], x[:])
	k.Tanh(tanh[:], x[:])
	k.Gelu(gelu[:], x[:])
	k.LayerNorm(norm[:], x[:], weight[:], x[:])
	k.SoftmaxColumns(columns[:], 3, n/3)
	return map[string][]float32{
		"tanh": tanh[:], "gelu": gelu[:], "layer norm": norm[:], "softmax of columns": columns[:],
	}
}

// TestForcedSetRunsElementwise shows that the set asked for is the one that
// computes, as TestForcedSetRuns does. Relu is exact, so its bits cannot tell, and
// those of AVX2 and AVX-512 differ in the layer norm only; that the right one runs is
// seen by the benchmarks.
func TestForcedSetRunsElementwise(t *testing.T) {
	plain := elementwiseOutcome(genericElementwise)
	for _, set := range KernelSets() {
		force(t, set)
		got := elementwiseOutcome(publicElementwise)
		if set == "generic" {
			require.Equal(t, plain, got)
			continue
		}
		want := elementwiseOutcome(elementwiseAssemblies[set])
		for name := range plain {
			require.Equal(t, want[name], got[name], "%s: %s is not the assembly", set, name)
			require.NotEqual(t, plain[name], got[name], "%s: %s cannot be told from plain Go", set, name)
		}
	}
}

func TestSelfCheckElementwise(t *testing.T) {
	whole := elementwiseKernels{LayerNorm, Tanh, Gelu, Relu, SoftmaxColumns}
	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, checkElementwise(whole))
	}
	short := func(f func(dst, x []float32)) func(dst, x []float32) {
		return func(dst, x []float32) { clear(dst); f(dst, x[:len(x)&^3]) }
	}
	for fault, change := range map[string]func(*elementwiseKernels){
		"tanh of 1 values: [0] is 0, want ":  func(k *elementwiseKernels) { k.tanh = short(Tanh) },
		"gelu of 1 values: [0] is 0, want ":  func(k *elementwiseKernels) { k.gelu = short(Gelu) },
		"relu of 2 values: [1] is 0, want ":  func(k *elementwiseKernels) { k.relu = short(Relu) },
		"layer norm of 3 rows of 2: [4] is ": func(k *elementwiseKernels) { k.layerNorm = firstRows },
		"softmax of 2 rows of 1: [1] is ": func(k *elementwiseKernels) {
			k.softmaxColumns = func(x []float32, rows, columns int) { SoftmaxColumns(x, rows-rows/2, columns) }
		},
	} {
		k := whole
		change(&k)
		require.ErrorContains(t, checkElementwise(k), fault)
	}
}

// firstRows is LayerNorm of the first two rows only.
func firstRows(dst, x, weight, bias []float32) {
	clear(dst)
	LayerNorm(dst, x[:min(len(x), 2*len(weight))], weight, bias)
}

func TestElementwiseDoesNotAllocate(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			var a, b [100]float32
			Tanh(a[:], b[:])
			Gelu(b[:], a[:])
			Relu(b[:], a[:])
			LayerNorm(a[:], b[:], a[:50], b[:50])
			SoftmaxColumns(a[:], 4, 25)
		}), set)
	}
}

func FuzzElementwise(f *testing.F) {
	seed(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		x := floats(data)
		fuzz(t, func() error { return publicElementwise.CheckMaps(append([]float32(nil), x...)) })
	})
}

func FuzzLayerNorm(f *testing.F) {
	seed(f, func(data []byte) {
		for _, width := range []uint8{1, 5, 8, 32, 41} {
			f.Add(width, data)
		}
	})
	f.Fuzz(func(t *testing.T, width uint8, data []byte) {
		x := floats(data)
		n := min(int(width), len(x)/3)
		weight, bias, x := x[:n], x[n:2*n], x[2*n:]
		if n > 0 {
			x = x[:len(x)/n*n]
		}
		fuzz(t, func() error { return publicElementwise.CheckLayerNorm(make([]float32, len(x)), x, weight, bias) })
		fuzz(t, func() error {
			in := append([]float32(nil), x...)
			return publicElementwise.CheckLayerNorm(in, in, weight, bias)
		})
	})
}

func FuzzSoftmaxColumns(f *testing.F) {
	seed(f, func(data []byte) {
		for _, rows := range []uint8{1, 2, 3, 8} {
			f.Add(rows, data)
		}
	})
	f.Fuzz(func(t *testing.T, rows uint8, data []byte) {
		x := floats(data)
		columns := len(x) / max(1, int(rows))
		fuzz(t, func() error {
			in := append([]float32(nil), x...)
			return publicElementwise.CheckSoftmaxColumns(in, int(rows), columns)
		})
	})
}
