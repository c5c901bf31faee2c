package kerneltest

import (
	"fmt"
	"math"
)

// elementwiseLengths runs every length at every alignment, in place and not. The
// alignment must not change a bit of the result.
func elementwiseLengths(k Elementwise) error {
	s := newSource(20)
	for _, n := range testLengths() {
		// Sizes that reach every branch of the exponentials.
		x, weight, bias := s.spread(n, -12, 5), s.values(n, 2), s.values(n, 2)
		var first []uint32
		for _, offset := range offsets(n) {
			got, err := k.aligned(offset, x, weight, bias)
			if err != nil {
				return fmt.Errorf("alignment %d: %w", offset, err)
			}
			if first == nil {
				first = bits(got)
			}
			if !same(first, got) {
				return fmt.Errorf("%d values: alignment %d changes the result", n, offset)
			}
		}
	}
	return nil
}

// aligned runs the kernels on copies that start at offset and, for other operands,
// elsewhere. It returns all results in one slice.
func (k Elementwise) aligned(offset int, x, weight, bias []float32) (all []float32, err error) {
	other := (7*offset + 3) % alignments
	pw, pb := place(weight, other), place(bias, (offset+other)%alignments)
	maps := append(k.maps(), mapping{name: "layer norm", run: func(dst, x []float32) { k.LayerNorm(dst, x, pw.x, pb.x) }})
	for _, m := range maps {
		px, dst, inPlace := place(x, other), place(weight, offset), place(x, offset)
		m.run(inPlace.x, inPlace.x)
		if m.exact == nil {
			err = k.CheckLayerNorm(dst.x, px.x, pw.x, pb.x)
		} else {
			err = m.check(dst.x, px.x)
		}
		if err != nil {
			return nil, err
		}
		if !dst.intact() || !inPlace.intact() {
			return nil, fmt.Errorf("%s of %d values wrote beside dst", m.name, len(x))
		}
		if !same(bits(dst.x), inPlace.x) {
			return nil, fmt.Errorf("%s of %d values differs in place", m.name, len(x))
		}
		all = append(all, dst.x...)
	}
	for _, rows := range []int{1, 2, 3, 5} {
		columns := len(x) / rows
		p := place(x[:rows*columns], offset)
		if err := k.CheckSoftmaxColumns(p.x, rows, columns); err != nil {
			return nil, err
		}
		if !p.intact() {
			return nil, fmt.Errorf("softmax of %d rows of %d wrote beside it", rows, columns)
		}
		all = append(all, p.x...)
	}
	return all, nil
}

// elementwiseShapes runs all small matrices: rows below each other must not mix.
func elementwiseShapes(k Elementwise) error {
	s := newSource(21)
	for rows := range 12 {
		for n := rows % stride(3); n < 70; n += stride(3) {
			x := place(s.values(rows*n, 4), n%alignments)
			if err := k.CheckLayerNorm(x.x, x.x, s.values(n, 2), s.values(n, 2)); err != nil {
				return err
			}
			if !x.intact() {
				return fmt.Errorf("layer norm of %d rows of %d wrote beside dst", rows, n)
			}
			x = place(s.values(rows*n, 20), n%alignments)
			if err := k.CheckSoftmaxColumns(x.x, rows, n); err != nil {
				return err
			}
			if !x.intact() {
				return fmt.Errorf("softmax of %d rows of %d wrote beside it", rows, n)
			}
		}
	}
	return nil
}

// elementwiseUnequal gives slices of different length: the shorter decides, parts
// of a row are left alone, and so is what lies beyond.
func elementwiseUnequal(k Elementwise) error {
	s := newSource(22)
	for n := range 40 {
		for _, more := range []int{1, 5, 64} {
			x := s.values(n+more, 4)
			for _, m := range k.maps() {
				dst := place(s.values(n+more, 4), 0)
				was := bits(dst.x[n:])
				m.run(dst.x, x[:n])
				m.run(dst.x[:n], x)
				if !same(was, dst.x[n:]) || !dst.intact() {
					return fmt.Errorf("%s of the first %d of %d values wrote to the rest", m.name, n, n+more)
				}
				if err := m.check(make([]float32, n), x[:n]); err != nil {
					return err
				}
			}
			if n == 0 {
				continue
			}
			if err := k.unequalRows(s, n, more); err != nil {
				return err
			}
		}
	}
	for _, size := range [][2]int{{0, 3}, {3, 0}, {-1, 3}, {3, -1}, {math.MinInt, 4}, {4, math.MinInt}} {
		x := s.values(9, 4)
		was := bits(x)
		if k.SoftmaxColumns(x, size[0], size[1]); !same(was, x) {
			return fmt.Errorf("softmax of %d rows of %d wrote", size[0], size[1])
		}
	}
	k.LayerNorm(nil, s.values(3, 1), nil, s.values(3, 1))
	k.SoftmaxColumns(nil, 3, 3)
	return nil
}

// unequalRows gives the row kernels two rows of n and a part of a third.
func (k Elementwise) unequalRows(s source, n, more int) error {
	whole, part := 2*n, n-1
	x, weight, bias := s.values(whole+part, 4), s.values(n, 2), s.values(n+more, 2)
	want := make([]float32, whole)
	if err := k.CheckLayerNorm(want, x[:whole], weight, bias[:n]); err != nil {
		return err
	}
	dst := place(s.values(whole+part+more, 4), 0)
	was := bits(dst.x[whole:])
	k.LayerNorm(dst.x, x, weight, bias)
	if !same(bits(want), dst.x[:whole]) || !same(was, dst.x[whole:]) || !dst.intact() {
		return fmt.Errorf("layer norm of two rows of %d and %d values: not the two rows", n, part)
	}
	was = bits(x[whole:])
	want = append([]float32(nil), x[:whole]...)
	if err := k.CheckSoftmaxColumns(want, 2, n); err != nil {
		return err
	}
	k.SoftmaxColumns(x, 2+more, n)
	if !same(bits(want), x[:whole]) || !same(was, x[whole:]) {
		return fmt.Errorf("softmax of two rows of %d and %d values: not the two rows", n, part)
	}
	return nil
}

// elementwiseLong runs sizes beyond the most that one assembly call takes.
func elementwiseLong(k Elementwise) error {
	n := beyondOneCall()
	s := newSource(23)
	if err := k.CheckMaps(s.values(n, 12)); err != nil {
		return err
	}
	for _, width := range []int{3, 1000, n} {
		x := s.values(n/width*width, 4)
		if err := k.CheckLayerNorm(x, x, s.values(width, 1), s.values(width, 1)); err != nil {
			return err
		}
	}
	for i, rows := range []int{1, 2, 9, 1 << 14, 1<<14 + 1, n} {
		if i%stride(2) > 0 {
			continue
		}
		if err := k.CheckSoftmaxColumns(s.values(n/rows*rows, 5), rows, n/rows); err != nil {
			return err
		}
	}
	return nil
}

// elementwiseRandom runs inputs of random shape and size; a million with
// -exhaustive.
func elementwiseRandom(k Elementwise) error {
	cases := 1000 / stride(8)
	if *exhaustive {
		cases = 1_000_000
	}
	s := newSource(24)
	for range cases {
		if err := k.CheckMaps(s.spread(s.IntN(100), -149, 127)); err != nil {
			return err
		}
		rows, n := s.IntN(9), s.IntN(100)
		x := s.spread(rows*n, -20, s.IntN(50))
		if err := k.CheckLayerNorm(x, x, s.spread(n, -20, 10), s.values(n, 4)); err != nil {
			return err
		}
		if err := k.CheckSoftmaxColumns(s.values(rows*n, 60*s.Float32()), rows, n); err != nil {
			return err
		}
	}
	return nil
}
