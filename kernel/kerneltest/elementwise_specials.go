package kerneltest

import (
	"fmt"
	"math"
)

// elementwiseSpecials puts every special value at every place of lengths that
// reach each loop; in a short run one value in four, others at the next place. Only
// that value, row or column may tell.
func elementwiseSpecials(k Elementwise) error {
	s := newSource(25)
	edges := append([]float32{cutoff, -13.2, -13.25, 9, 0.55, 0.5500001, 14}, allValues...)
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 33, 65} {
		for i := range n {
			for j, v := range edges {
				if (i+j)%stride(4) > 0 {
					continue
				}
				x := s.values(n, 4)
				x[i] = v
				if err := k.CheckMaps(x); err != nil {
					return err
				}
				if err := k.specialRow(s, n, i, v); err != nil {
					return fmt.Errorf("%v at %d: %w", v, i, err)
				}
			}
		}
	}
	return nil
}

// specialRow puts v at column i of the second of three rows, then of the weight and
// of the bias.
func (k Elementwise) specialRow(s source, n, i int, v float32) error {
	x, weight, bias := s.values(3*n, 4), s.values(n, 2), s.values(n, 2)
	was := x[n+i]
	x[n+i] = v
	if err := k.CheckSoftmaxColumns(append([]float32(nil), x...), 3, n); err != nil {
		return err
	}
	dst := make([]float32, 3*n)
	if err := k.CheckLayerNorm(dst, x, weight, bias); err != nil {
		return err
	}
	x[n+i] = was
	for _, operand := range [][]float32{weight, bias} {
		was := operand[i]
		operand[i] = v
		if err := k.CheckLayerNorm(dst, x, weight, bias); err != nil {
			return err
		}
		operand[i] = was
	}
	return nil
}

// columnMasks runs every choice of masked rows, another one in each column, and
// everything masked.
func columnMasks(k Elementwise) error {
	s := newSource(26)
	for rows := range 9 {
		columns := 1 << rows
		for _, n := range []int{columns, columns + 3} {
			x := s.values(rows*n, 4)
			for i := range x {
				if i%n>>(i/n)&1 == 1 {
					x[i] = -inf
				}
			}
			if err := k.CheckSoftmaxColumns(x, rows, n); err != nil {
				return err
			}
		}
	}
	for n := range 40 {
		x := make([]float32, 3*n)
		for i := range x {
			x[i] = -inf
		}
		k.SoftmaxColumns(x, 3, n)
		for i, v := range x {
			if math.Float32bits(v) != 0 {
				return fmt.Errorf("all of 3 rows of %d masked: [%d] is %v, want 0", n, i, v)
			}
		}
	}
	return nil
}

// layerNormOffsets runs rows whose mean is far above their variance, rows without
// variance and rows of zeros.
func layerNormOffsets(k Elementwise) error {
	s := newSource(27)
	for n := range 100 {
		for _, offset := range []float32{0, 1, 1000, -1e6, 1e15} {
			for _, spread := range []float32{0, 1e-3, 1} {
				x := s.values(2*n, spread)
				for i := range x {
					x[i] += offset
				}
				dst := make([]float32, 2*n)
				if err := k.CheckLayerNorm(dst, x, s.values(n, 2), s.values(n, 2)); err != nil {
					return fmt.Errorf("around %v: %w", offset, err)
				}
			}
		}
	}
	return nil
}
