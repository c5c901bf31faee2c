package kerneltest

import (
	"fmt"
	"math"
)

// specials puts every pair of special values at every place of lengths that
// reach each loop; in a short run one pair in eight, others at the next place.
func specials(k Impl) error {
	s := newSource(6)
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 33, 65} {
		a, b := s.values(n, 4), s.values(n, 4)
		for i := range n {
			for j, v := range allValues {
				for l, w := range allValues {
					if (i+j+l)%stride(8) > 0 {
						continue
					}
					if err := k.specialPair(a, b, i, v, w); err != nil {
						return fmt.Errorf("%v and %v at %d: %w", v, w, i, err)
					}
				}
				if err := k.specialScore(a, i, v); err != nil {
					return fmt.Errorf("%v at %d: %w", v, i, err)
				}
			}
		}
	}
	return nil
}

// specialPair puts v and w at index i of a dot product of a and b, and makes them
// gate and region of column i of a gated sum.
func (k Impl) specialPair(a, b []float32, i int, v, w float32) error {
	wasA, wasB := a[i], b[i]
	defer func() { a[i], b[i] = wasA, wasB }()
	a[i], b[i] = v, w
	if err := k.CheckDot(a, b); err != nil {
		return err
	}
	// Three rows: an ordinary one, b under the gate v, an ordinary one.
	n := len(b)
	regions := make([]float32, 0, 3*65)
	regions = append(regions, b...)
	regions = append(regions, b...)
	regions = append(regions, b...)
	regions[i], regions[2*n+i] = 1, 1
	dst := make([]float32, n, 65)
	return k.CheckGatedSum(dst, []float32{2, v, -1}, regions)
}

// specialScore puts v at index i of the input of a softmax.
func (k Impl) specialScore(x []float32, i int, v float32) error {
	was := x[i]
	defer func() { x[i] = was }()
	x[i] = v
	return k.CheckSoftmax(make([]float32, len(x), 65), x)
}

// masks runs softmax on every choice of masked values for short lengths, and on
// everything masked for all.
func masks(k Impl) error {
	s := newSource(7)
	for n := range 10 {
		x := s.values(n, 4)
		for mask := range 1 << n {
			masked := append([]float32(nil), x...)
			for i := range n {
				if mask>>i&1 == 1 {
					masked[i] = -inf
				}
			}
			if err := k.CheckSoftmax(make([]float32, n), masked); err != nil {
				return fmt.Errorf("mask %0*b: %w", n, mask, err)
			}
		}
	}
	for n := range 140 {
		x := make([]float32, n)
		for i := range x {
			x[i] = -inf
		}
		dst := s.values(n, 4)
		if err := k.CheckSoftmax(dst, x); err != nil {
			return fmt.Errorf("all masked: %w", err)
		}
		for i, v := range dst {
			if math.Float32bits(v) != 0 {
				return fmt.Errorf("all of %d masked: [%d] is %v, want 0", n, i, v)
			}
		}
	}
	return nil
}

// wideRange runs softmax on values far apart, far from 0, and around the value
// whose exponential is no longer normal.
func wideRange(k Impl) error {
	edge := float32(cutoff)
	inputs := [][]float32{
		{largest, -largest},
		{-largest, -largest, largest, largest},
		{-largest, -largest, -largest},
		{largest, largest, largest},
		{-largest, -inf},
		{0, edge, math.Nextafter32(edge, -inf), math.Nextafter32(edge, 0)},
		{-0x1p100, -0x1p100 + 0x1p80, -0x1p101},
	}
	for _, x := range inputs {
		// Also behind a block and in a tail of any implementation.
		for _, padding := range []int{0, 1, 6, 29, 64} {
			padded := make([]float32, padding, 128)
			for i := range padded {
				padded[i] = -inf
			}
			padded = append(padded, x...)
			if err := k.CheckSoftmax(make([]float32, len(padded)), padded); err != nil {
				return fmt.Errorf("%v: %w", x, err)
			}
		}
	}
	s := newSource(8)
	for n := range 100 {
		if err := k.CheckSoftmax(make([]float32, n), s.values(n, 120)); err != nil {
			return err
		}
		if err := k.CheckSoftmax(make([]float32, n), s.spread(n, -20, 127)); err != nil {
			return err
		}
		if err := k.CheckDot(s.spread(n, -149, 20), s.spread(n, -20, 60)); err != nil {
			return err
		}
		if err := k.CheckGatedSum(s.spread(n, -149, 60), s.spread(3, -70, 20), s.spread(3*n, -149, 60)); err != nil {
			return err
		}
	}
	return nil
}

// random runs inputs of random length and size; a million with -exhaustive.
func random(k Impl) error {
	cases := 3000 / stride(8)
	if *exhaustive {
		cases = 1_000_000
	}
	s := newSource(9)
	a, b, dst := make([]float32, 512), make([]float32, 512), make([]float32, 512)
	regions := make([]float32, 512*8)
	for range cases {
		n := s.IntN(len(a))
		size := float32(math.Ldexp(1, s.IntN(60)-30))
		if err := k.CheckDot(s.fill(a[:n], size), s.fill(b[:n], 4)); err != nil {
			return err
		}
		if err := k.CheckSoftmax(dst[:n], s.fill(a[:n], 60*s.Float32())); err != nil {
			return err
		}
		rows := s.IntN(8)
		if err := k.CheckGatedSum(s.fill(dst[:n], size), s.fill(b[:rows], 1), s.fill(regions[:rows*n], size)); err != nil {
			return err
		}
	}
	return nil
}
