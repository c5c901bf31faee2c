package ragedge

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

var (
	publicProducts  = kerneltest.Products{MatMul: MatMul, RowDots: RowDots, WeightedRows: WeightedRows}
	genericProducts = kerneltest.Products{MatMul: kernel.MatMul, RowDots: kernel.RowDots, WeightedRows: kernel.WeightedRows}
)

func TestProducts(t *testing.T) {
	for _, set := range testedSets() {
		t.Run(set, func(t *testing.T) {
			force(t, set)
			kerneltest.RunProducts(t, publicProducts)
		})
	}
}

// productOutcome is what an implementation computes from fixed input long enough
// for rounding to tell implementations apart.
func productOutcome(k kerneltest.Products) map[string][]float32 {
	const rows, out, in = 7, 37, 53
	x, weight := make([]float32, rows*in), make([]float32, out*in)
	for i := range weight {
		weight[i] = float32(math.Sin(float64(i)))
	}
	copy(x, weight[100:])
	w := Pack(weight, out, in)
	product, dots, sums := make([]float32, rows*out), make([]float32, rows*out), make([]float32, rows*out)
	k.MatMul(product, x, rows, &w, weight)
	k.RowDots(dots, x, weight, rows, out, in, in, in, 0.5)
	k.WeightedRows(sums, x, weight, rows, in, out, out, out)
	return map[string][]float32{"matrix product": product, "row dots": dots, "weighted rows": sums}
}

// TestForcedProductsRun shows that the set asked for computes: assembly gives other
// bits than plain Go. TestAVX512Runs tells the sets of amd64 apart.
func TestForcedProductsRun(t *testing.T) {
	plain := productOutcome(genericProducts)
	for _, set := range KernelSets() {
		force(t, set)
		got := productOutcome(publicProducts)
		if set == "generic" {
			require.Equal(t, plain, got)
			continue
		}
		for name := range plain {
			require.NotEqual(t, plain[name], got[name], "%s: %s cannot be told from plain Go", set, name)
		}
	}
}

func TestProductsDoNotAllocate(t *testing.T) {
	var weight [40 * 20]float32
	w := Pack(weight[:], 20, 40)
	for _, set := range KernelSets() {
		force(t, set)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			var dst [7 * 20]float32
			var x [7 * 40]float32
			var v [40 * 20]float32
			MatMul(dst[:], x[:], 7, &w, v[:])
			RowDots(dst[:], x[:], v[:], 7, 20, 40, 40, 40, 1)
			WeightedRows(dst[:], x[:], v[:], 7, 40, 20, 20, 20)
		}), set)
	}
}

func TestPack(t *testing.T) {
	w := Pack([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	require.Equal(t, 3, w.Out())
	require.Equal(t, 2, w.In())
	want := make([]float32, 32)
	copy(want, []float32{1, 3, 5})
	copy(want[16:], []float32{2, 4, 6})
	require.Equal(t, want, w.Panels())

	for _, c := range []struct{ out, in int }{{4, 2}, {-1, 2}, {2, -1}, {math.MaxInt, math.MaxInt}, {math.MaxInt/2 + 2, 2}} {
		w := Pack(make([]float32, 6), c.out, c.in)
		require.Equal(t, Packed{}, w, "%d, %d", c.out, c.in)
	}
}

func FuzzProducts(f *testing.F) {
	seed(f, func(data []byte) {
		for _, shape := range [][2]uint8{{1, 1}, {3, 5}, {2, 17}, {5, 8}} {
			f.Add(shape[0], shape[1], data)
		}
	})
	f.Fuzz(func(t *testing.T, rows, out uint8, data []byte) {
		r, o := int(rows%12), int(out%80)
		values := floats(data)
		if r+o == 0 || len(values) < o {
			return
		}
		bias, values := values[:o], values[o:]
		in := len(values) / (r + o)
		x, weight := values[:r*in], values[r*in:][:o*in]
		dst := make([]float32, r*o)
		fuzz(t, func() error { return publicProducts.CheckMatMul(dst, x, r, weight, o, in, bias) })
		fuzz(t, func() error { return publicProducts.CheckRowDots(dst, x, weight, r, o, in, in, in, 1) })
		fuzz(t, func() error { return publicProducts.CheckWeightedRows(dst, x, weight, r, in, o, o, o) })
	})
}

func TestProductsSelfCheck(t *testing.T) {
	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, checkProducts(MatMul, RowDots, WeightedRows))
	}
	noBias := func(dst, x []float32, rows int, w *Packed, _ []float32) { MatMul(dst, x, rows, w, nil) }
	require.ErrorContains(t, checkProducts(noBias, RowDots, WeightedRows), "matrix product of 1 rows and 83 outputs: [0, 0] is ")
	sevenRows := func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) {
		RowDots(dst, a, b, min(rows, 7), cols, depth, strideA, strideB, scale)
	}
	require.ErrorContains(t, checkProducts(MatMul, sevenRows, WeightedRows), "dot products of 8 and 83 rows: [7, 0] is ")
	noTail := func(dst, p, v []float32, rows, n, depth, strideDst, strideV int) {
		WeightedRows(dst, p, v, rows, n, depth&^7, strideDst, strideV)
	}
	require.ErrorContains(t, checkProducts(MatMul, RowDots, noTail), "1 weighted sums of rows of 83: [0, 80] is ")
}
