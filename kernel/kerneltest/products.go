package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

// Products is one implementation of the products of matrices.
type Products struct {
	MatMul       func(dst, x []float32, rows int, w *kernel.Packed, bias []float32)
	RowDots      func(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32)
	WeightedRows func(dst, p, v []float32, rows, n, depth, strideDst, strideV int)
}

var productChecks = []struct {
	name string
	run  func(Products) error
}{
	{"shapes", productShapes},
	{"large", productLarge},
	{"strides", productStrides},
	{"alone", productAlone},
	{"special values", productSpecials},
	{"wide range", productRange},
	{"short slices", productShort},
	{"guard pages", productGuards},
}

// RunProducts tests p.
func RunProducts(t *testing.T, p Products) {
	for _, c := range productChecks {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, c.run(p)) })
	}
}

// CheckMatMul compares a matrix product with the exact one and leaves it in dst.
func (k Products) CheckMatMul(dst, x []float32, rows int, weight []float32, out, in int, bias []float32) error {
	w := kernel.Pack(weight, out, in)
	wasX, wasW, wasBias := bits(x), bits(w.Panels()), bits(bias)
	k.MatMul(dst, x, rows, &w, bias)
	for i := range rows {
		row := x[i*in : (i+1)*in]
		for j := range out {
			var want exact
			if bias != nil {
				want.add(bias[j], 1)
			}
			for t, v := range row {
				want.add(v, weight[j*in+t])
			}
			if err := want.check(dst[i*out+j], kernel.MatMulBound(row, &w, bias, j)); err != nil {
				return fmt.Errorf("matrix product of %d rows, %d inputs, %d outputs: [%d, %d]: %w", rows, in, out, i, j, err)
			}
		}
	}
	if !same(wasX, x) || !same(wasW, w.Panels()) || !same(wasBias, bias) {
		return fmt.Errorf("matrix product of %d rows, %d inputs, %d outputs wrote to its input", rows, in, out)
	}
	return nil
}

// CheckRowDots compares the dot products of rows with the exact ones and leaves
// them in dst.
func (k Products) CheckRowDots(dst, a, b []float32, rows, cols, depth, strideA, strideB int, scale float32) error {
	wasA, wasB := bits(a), bits(b)
	k.RowDots(dst, a, b, rows, cols, depth, strideA, strideB, scale)
	for i := range rows {
		for j := range cols {
			x, y := rowOf(a, i, strideA, depth), rowOf(b, j, strideB, depth)
			var want exact
			for t := range depth {
				want.add(x[t], y[t])
			}
			want.sum *= float64(scale)
			want.size = max(want.size, want.size*math.Abs(float64(scale)))
			if err := want.check(dst[i*cols+j], kernel.RowDotsBound(x, y, scale)); err != nil {
				return fmt.Errorf("dot products of %d and %d rows of %d: [%d, %d]: %w", rows, cols, depth, i, j, err)
			}
		}
	}
	if !same(wasA, a) || !same(wasB, b) {
		return fmt.Errorf("dot products of %d and %d rows of %d wrote to their input", rows, cols, depth)
	}
	return nil
}

// CheckWeightedRows compares weighted sums of rows with the exact ones and leaves
// them in dst. What lies between the rows must stay.
func (k Products) CheckWeightedRows(dst, p, v []float32, rows, n, depth, strideDst, strideV int) error {
	wasDst, wasP, wasV := bits(dst), bits(p), bits(v)
	k.WeightedRows(dst, p, v, rows, n, depth, strideDst, strideV)
	for at, got := range dst {
		i, t := at, 0
		if strideDst > 0 {
			i, t = at/strideDst, at%strideDst
		}
		if i >= rows || t >= depth {
			if math.Float32bits(got) != wasDst[at] {
				return fmt.Errorf("%d sums of %d rows of %d wrote beside dst", rows, n, depth)
			}
			continue
		}
		weights := p[i*n : (i+1)*n]
		var want exact
		for j, weight := range weights {
			want.add(weight, v[j*strideV+t])
		}
		if err := want.check(got, kernel.WeightedRowsBound(weights, v[min(t, len(v)):], strideV)); err != nil {
			return fmt.Errorf("%d sums of %d rows of %d: [%d, %d]: %w", rows, n, depth, i, t, err)
		}
	}
	if !same(wasP, p) || !same(wasV, v) {
		return fmt.Errorf("%d sums of %d rows of %d wrote to their input", rows, n, depth)
	}
	return nil
}

// rowOf is row i; of rows without values it is nothing, wherever they are.
func rowOf(x []float32, i, stride, width int) []float32 {
	if width == 0 {
		return nil
	}
	return x[i*stride:][:width]
}

// checkAll runs the three products of one shape on dense operands: x [rows, in],
// weight [out, in], and the weight as rows of values [in, out].
func (k Products) checkAll(s source, rows, out, in int) error {
	x, weight, bias := s.values(rows*in, 4), s.values(out*in, 4), s.values(out, 4)
	dst := place(s.values(rows*out, 4), rows%alignments)
	for _, b := range [][]float32{nil, bias} {
		if err := k.CheckMatMul(dst.x, x, rows, weight, out, in, b); err != nil {
			return err
		}
	}
	if err := k.CheckRowDots(dst.x, x, weight, rows, out, in, in, in, 0.3); err != nil {
		return err
	}
	if err := k.CheckWeightedRows(dst.x, x, weight, rows, in, out, out, out); err != nil {
		return err
	}
	if !dst.intact() {
		return fmt.Errorf("a product of %d rows, %d inputs, %d outputs wrote beside dst", rows, in, out)
	}
	return nil
}

// productShapes runs every height of a tile, and some more, by every width around
// the panels, by every depth around the blocks.
func productShapes(k Products) error {
	s := newSource(11)
	for rows := range 14 {
		for _, out := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 48, 63, 64, 65, 79} {
			// All depths for each height and each width, but not for each pair.
			step := 3 * stride(4)
			for in := (rows + out) % step; in <= 40; in += step {
				if err := k.checkAll(s, rows, out, in); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// productLarge runs shapes of several blocks of rows and of depth, and the longest
// rows of dot products.
func productLarge(k Products) error {
	s := newSource(12)
	for _, shape := range [][3]int{
		{3, 5, 255}, {7, 33, 256}, {1, 70, 257}, {13, 17, 511}, {2, 40, 513}, {6, 3, 1030}, {1, 2, 5000}, {2, 9, 4097},
		{255, 17, 3}, {257, 5, 9}, {300, 20, 2}, {523, 1, 1}, {4, 600, 5}, {1, 300, 300}, {130, 50, 260},
	} {
		if err := k.checkAll(s, shape[0], shape[1], shape[2]); err != nil {
			return err
		}
	}
	return nil
}

// productStrides runs operands that are columns of wider matrices, and one row in
// the place of all.
func productStrides(k Products) error {
	s := newSource(13)
	for _, depth := range []int{1, 2, 3, 5, 8, 11, 16, 24, 37} {
		for _, more := range []int{0, 1, 7, 32} {
			for rows := 1; rows < 10; rows++ {
				n, stride := rows*depth%13, depth+more
				a, b := s.values((rows-1)*stride+depth, 4), s.values(max(0, (n-1)*(stride+1)+depth), 4)
				dst := place(s.values(rows*n, 4), rows)
				if err := k.CheckRowDots(dst.x, a, b, rows, n, depth, stride, stride+1, -1.5); err != nil {
					return err
				}
				if err := k.CheckRowDots(dst.x, a, a, rows, n, depth, stride, 0, 2); err != nil {
					return err
				}
				sum := place(s.values((rows-1)*stride+depth, 4), rows)
				if err := k.CheckWeightedRows(sum.x, s.values(rows*n, 1), b, rows, n, depth, stride, stride+1); err != nil {
					return err
				}
				if !dst.intact() || !sum.intact() {
					return fmt.Errorf("%d rows of %d, %d apart: wrote beside dst", rows, depth, stride)
				}
			}
		}
	}
	return nil
}

// productAlone computes rows and columns alone: the bits must be those they have
// among others, so that work can be split in any way.
func productAlone(k Products) error {
	s := newSource(14)
	for _, shape := range [][3]int{{1, 33, 40}, {5, 70, 19}, {9, 20, 300}, {14, 100, 33}, {8, 47, 8}} {
		rows, out, in := shape[0], shape[1], shape[2]
		x, weight, bias := s.values(rows*in, 4), s.values(out*in, 4), s.values(out, 4)
		columns := make([]float32, in*out) // the weight, transposed
		for j := range out {
			for t := range in {
				columns[t*out+j] = weight[j*in+t]
			}
		}
		w := kernel.Pack(weight, out, in)
		all, dots, sums := make([]float32, rows*out), make([]float32, rows*out), make([]float32, rows*out)
		k.MatMul(all, x, rows, &w, bias)
		k.RowDots(dots, x, weight, rows, out, in, in, in, 0.7)
		k.WeightedRows(sums, x, columns, rows, in, out, out, out)
		for i := range rows {
			for j := range out {
				one := kernel.Pack(weight[j*in:(j+1)*in], 1, in)
				var got [3]float32
				row := x[i*in : (i+1)*in]
				k.MatMul(got[:1], row, 1, &one, bias[j:])
				k.RowDots(got[1:2], row, weight[j*in:], 1, 1, in, in, in, 0.7)
				k.WeightedRows(got[2:], row, columns[j:], 1, in, 1, 1, out)
				if want := [3]float32{all[i*out+j], dots[i*out+j], sums[i*out+j]}; got != want {
					return fmt.Errorf("%d rows, %d inputs, %d outputs: [%d, %d] alone is %v, among others %v", rows, in, out, i, j, got, want)
				}
			}
		}
	}
	return nil
}
