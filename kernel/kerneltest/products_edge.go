package kerneltest

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// productSpecials puts special values into operands that are otherwise small: they
// must reach the results of their row and column, and no others.
func productSpecials(k Products) error {
	s := newSource(15)
	for _, shape := range [][3]int{{1, 3, 5}, {2, 17, 9}, {5, 9, 2}, {7, 33, 1}, {9, 30, 11}} {
		rows, out, in := shape[0], shape[1], shape[2]
		x, weight, bias := s.values(rows*in, 4), s.values(out*in, 4), s.values(out, 4)
		dst := make([]float32, rows*out)
		for _, v := range allValues {
			for range 12 {
				at := []*float32{&x[s.IntN(len(x))], &weight[s.IntN(len(weight))], &bias[s.IntN(out)]}[s.IntN(3)]
				other := &weight[s.IntN(len(weight))]
				was, wasOther := *at, *other
				*at, *other = v, allValues[s.IntN(len(allValues))]
				if err := k.CheckMatMul(dst, x, rows, weight, out, in, bias); err != nil {
					return fmt.Errorf("%v and %v: %w", *at, *other, err)
				}
				if err := k.CheckRowDots(dst, x, weight, rows, out, in, in, in, 1); err != nil {
					return fmt.Errorf("%v and %v: %w", *at, *other, err)
				}
				if err := k.CheckWeightedRows(dst, x, weight, rows, in, out, out, out); err != nil {
					return fmt.Errorf("%v and %v: %w", *at, *other, err)
				}
				*other, *at = wasOther, was
			}
		}
	}
	return nil
}

// productRange runs values whose exponents lie far apart.
func productRange(k Products) error {
	s := newSource(16)
	for n := 1; n < 40; n++ {
		rows, out := 1+n%9, 1+n*5%37
		x, weight := s.spread(rows*n, -149, 20), s.spread(out*n, -20, 60)
		dst := make([]float32, rows*out)
		if err := k.CheckMatMul(dst, x, rows, weight, out, n, s.spread(out, -149, 40)); err != nil {
			return err
		}
		if err := k.CheckRowDots(dst, x, weight, rows, out, n, n, n, 0x1p-70); err != nil {
			return err
		}
		if err := k.CheckWeightedRows(dst, x, weight, rows, n, out, out, out); err != nil {
			return err
		}
	}
	return nil
}

// productShort gives slices that are one value short, and numbers that are negative
// or overflow: nothing may be written.
func productShort(k Products) error {
	const rows, out, in = 3, 5, 4
	s := newSource(17)
	x, weight, bias := s.values(rows*in, 1), s.values(out*in, 1), s.values(out, 1)
	dst := s.values(rows*out, 1)
	was := bits(dst)
	w := kernel.Pack(weight, out, in)
	empty := kernel.Pack(weight[1:], out, in)
	const huge = math.MaxInt/2 + 2 // twice that is small again
	for i, call := range []func(){
		func() { k.MatMul(dst[1:], x, rows, &w, bias) },
		func() { k.MatMul(dst, x[1:], rows, &w, bias) },
		func() { k.MatMul(dst, x, rows, &w, bias[1:]) },
		func() { k.MatMul(dst, x, rows, &w, bias[:0]) },
		func() { k.MatMul(dst, x, rows, &empty, bias) },
		func() { k.MatMul(dst, x, -1, &w, bias) },
		func() { k.MatMul(dst, x, math.MaxInt, &w, bias) },
		func() { k.MatMul(dst, x, 0, &w, bias) },
		func() { k.RowDots(dst[1:], x, weight, rows, out, in, in, in, 1) },
		func() { k.RowDots(dst, x[1:], weight, rows, out, in, in, in, 1) },
		func() { k.RowDots(dst, x, weight[1:], rows, out, in, in, in, 1) },
		func() { k.RowDots(dst, x, weight, rows, out, in, in+1, in, 1) },
		func() { k.RowDots(dst, x, weight, rows, out, in, in, -1, 1) },
		func() { k.RowDots(dst, x, weight, rows, -1, in, in, in, 1) },
		func() { k.RowDots(dst, x, weight, rows, out, -1, in, in, 1) },
		func() { k.RowDots(dst, x, weight, rows, out, math.MaxInt, in, in, 1) },
		func() { k.RowDots(dst, x, weight, rows, out, in, huge, in, 1) },
		func() { k.RowDots(dst, x, weight, huge, 2, in, 0, in, 1) },
		func() { k.WeightedRows(dst[1:], x, weight, rows, in, out, out, out) },
		func() { k.WeightedRows(dst, x[1:], weight, rows, in, out, out, out) },
		func() { k.WeightedRows(dst, x, weight[1:], rows, in, out, out, out) },
		func() { k.WeightedRows(dst, x, weight, rows, in, out, out-1, out) },
		func() { k.WeightedRows(dst, x, weight, rows, in, out, huge, out) },
		func() { k.WeightedRows(dst, x, weight, rows, in, out, out, huge) },
		func() { k.WeightedRows(dst, x, weight, rows, -1, out, out, out) },
		func() { k.WeightedRows(dst, x, weight, -1, in, out, out, out) },
	} {
		call()
		if !same(was, dst) {
			return fmt.Errorf("call %d with arguments that do not fit wrote to dst", i)
		}
	}
	return nil
}

// atGuards are the slices of one shape, each at a guard page.
func (k Products) atGuards(put func(i int, x []float32) []float32, s source, rows, out, in int) error {
	x, weight, bias := s.values(rows*in, 4), s.values(out*in, 4), s.values(out, 4)
	dst := put(0, make([]float32, rows*out))
	if err := k.CheckMatMul(dst, put(1, x), rows, weight, out, in, put(2, bias)); err != nil {
		return err
	}
	w := kernel.Pack(weight, out, in)
	k.MatMul(dst, put(1, x), rows, &w, nil)
	if err := k.CheckRowDots(dst, put(1, x), put(2, weight), rows, out, in, in, in, 1); err != nil {
		return err
	}
	return k.CheckWeightedRows(dst, put(1, x), put(2, weight), rows, in, out, out, out)
}
