package kerneltest

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// attending is one call of Attention.
type attending struct {
	dst, q, keys, values  []float32
	rows, n, depth, width int
	strideDst, strideQ    int
}

// newAttending has queries whose scores lie between -size and size, about.
func newAttending(s source, rows, n, depth, width int, size float32) attending {
	scale := size / float32(math.Sqrt(float64(max(1, depth))))
	return attending{
		s.values(rows*width, 4), s.values(rows*depth, scale), s.values(depth*n, 1), s.values(n*width, 2),
		rows, n, depth, width, width, depth,
	}
}

// check compares value t of every query i with the exact one.
func (a attending) check(got func(i, t int) float32) error {
	p, s, bound := make([]float64, a.n), make([]float64, a.n), make([]float64, a.width)
	for i := range a.rows {
		q := rowOf(a.q, i, a.strideQ, a.depth)
		weights(p, s, q, a.keys)
		kernel.AttentionBound(bound, q, a.keys, a.values, p, s)
		for t := range a.width {
			var want float64
			for j, weight := range p {
				want += weight * float64(a.values[j*a.width+t])
			}
			if v := got(i, t); !(math.Abs(float64(v)-want) <= bound[t]*(1+0x1p-20)) {
				return fmt.Errorf("value %d of query %d is %v, want %v within %.3g", t, i, v, want, bound[t])
			}
		}
	}
	return nil
}

// CheckAttention compares attention with the exact one and leaves it in dst. What
// lies between the rows must stay.
func (k Layers) CheckAttention(a attending) error {
	wasDst, wasQ, wasKeys, wasValues := bits(a.dst), bits(a.q), bits(a.keys), bits(a.values)
	scores := place(make([]float32, kernel.AttentionScores(a.rows, a.n)), a.rows%alignments)
	k.Attention(a.dst, a.q, a.keys, a.values, scores.x, a.rows, a.n, a.depth, a.width, a.strideDst, a.strideQ)

	of := fmt.Sprintf("attention of %d rows to %d keys of %d and %d", a.rows, a.n, a.depth, a.width)
	if err := a.check(func(i, t int) float32 { return a.dst[i*a.strideDst+t] }); err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	for at, v := range a.dst {
		if i, t := at/max(1, a.strideDst), at%max(1, a.strideDst); (i >= a.rows || t >= a.width) && math.Float32bits(v) != wasDst[at] {
			return fmt.Errorf("%s wrote beside dst", of)
		}
	}
	if !scores.intact() {
		return fmt.Errorf("%s wrote beside the scores", of)
	}
	if !same(wasQ, a.q) || !same(wasKeys, a.keys) || !same(wasValues, a.values) {
		return fmt.Errorf("%s wrote to its input", of)
	}
	return k.checkColumns(a)
}

// turned is the same call with queries and results as columns, and rows that are as far
// apart as they were.
func (a attending) turned(s source) (dst, q, keys, values []float32, strideDst, strideQ, strideKeys int) {
	gap := a.strideDst - a.width
	strideDst, strideQ, strideKeys = a.rows+gap, a.rows+gap, a.depth+gap
	dst = s.values(max(0, (a.width-1)*strideDst+a.rows), 4)
	q, keys = make([]float32, max(0, (a.depth-1)*strideQ+a.rows)), make([]float32, max(0, (a.n-1)*strideKeys+a.depth))
	values = make([]float32, a.width*a.n)
	for k := range a.depth {
		for i := range a.rows {
			q[k*strideQ+i] = a.q[i*a.strideQ+k]
		}
		for j := range a.n {
			keys[j*strideKeys+k] = a.keys[k*a.n+j]
		}
	}
	for t := range a.width {
		for j := range a.n {
			values[t*a.n+j] = a.values[j*a.width+t]
		}
	}
	return dst, q, keys, values, strideDst, strideQ, strideKeys
}

// checkColumns compares attention of columns with the exact one.
func (k Layers) checkColumns(a attending) error {
	dst, q, keys, values, strideDst, strideQ, strideKeys := a.turned(newSource(39))
	was, wasQ, wasKeys, wasValues := bits(dst), bits(q), bits(keys), bits(values)
	scores := place(make([]float32, kernel.AttentionColumnsScores(a.rows, a.n)), a.rows%alignments)
	k.AttentionColumns(dst, q, keys, values, scores.x, a.rows, a.n, a.depth, a.width, strideDst, strideQ, strideKeys)

	of := fmt.Sprintf("attention of %d columns to %d keys of %d and %d", a.rows, a.n, a.depth, a.width)
	if err := a.check(func(i, t int) float32 { return dst[t*strideDst+i] }); err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	for at, v := range dst {
		if at%strideDst >= a.rows && math.Float32bits(v) != was[at] {
			return fmt.Errorf("%s wrote beside dst", of)
		}
	}
	if !scores.intact() {
		return fmt.Errorf("%s wrote beside the scores", of)
	}
	if !same(wasQ, q) || !same(wasKeys, keys) || !same(wasValues, values) {
		return fmt.Errorf("%s wrote to its input", of)
	}
	return nil
}

// attentionInPlace puts the results of attention of columns in the place of the
// queries: the bits must be the same.
func attentionInPlace(k Layers) error {
	s := newSource(40)
	for _, shape := range [][3]int{{5, 7, 3}, {51, 51, 8}, {33, 300, 17}, {300, 40, 4}} {
		a := newAttending(s, shape[0], shape[1], shape[2], shape[2], 3)
		dst, q, keys, values, strideDst, strideQ, strideKeys := a.turned(s)
		scores := make([]float32, kernel.AttentionColumnsScores(a.rows, a.n))
		k.AttentionColumns(dst, q, keys, values, scores, a.rows, a.n, a.depth, a.width, strideDst, strideQ, strideKeys)
		k.AttentionColumns(q, q, keys, values, scores, a.rows, a.n, a.depth, a.width, strideDst, strideQ, strideKeys)
		if !same(bits(dst), q) {
			return fmt.Errorf("attention of %d columns to %d keys in place has other bits", a.rows, a.n)
		}
	}
	return nil
}

// weights sets p to the exact weights of all keys for one query, and s to the scores.
func weights(p, s []float64, q, keys []float32) {
	n, top, total := len(p), math.Inf(-1), 0.0
	for j := range n {
		s[j] = 0
		for k, v := range q {
			s[j] += float64(v) * float64(keys[k*n+j])
		}
		top = max(top, s[j])
	}
	for j := range n {
		p[j] = math.Exp(s[j] - top)
		total += p[j]
	}
	for j := range n {
		p[j] /= total
	}
}

func attentionShapes(k Layers) error {
	s := newSource(32)
	for _, rows := range []int{0, 1, 2, 5, 8, 13, 23, 24, 25, 49} {
		for _, n := range []int{0, 1, 2, 3, 7, 8, 15, 16, 17, 33, 51} {
			for _, depth := range []int{0, 1, 3, 8, 17, 32} {
				for _, width := range []int{0, 1, 3, 8, 16, 33} {
					if (rows+n+depth+width)%(3*stride(4)) > 0 { // a third of all shapes
						continue
					}
					if err := k.CheckAttention(newAttending(s, rows, n, depth, width, float32(n%4)*3)); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// attentionBlocks runs more queries and more keys than a block has, with the largest
// score in each of the blocks, scores far apart, and all the same.
func attentionBlocks(k Layers) error {
	s := newSource(33)
	for _, rows := range []int{97, 128, 131, 260} {
		for _, n := range []int{1, 40, 64, 70} {
			if err := k.CheckAttention(newAttending(s, rows, n, 4, 5, 2)); err != nil {
				return err
			}
		}
	}
	for i, n := range []int{255, 256, 257, 300, 512, 513, 700} {
		for j, size := range []float32{0, 1, 30, 300} {
			if (i+j)%stride(3) > 0 {
				continue
			}
			a := newAttending(s, 27, n, 8, 17, size)
			if err := k.CheckAttention(a); err != nil {
				return fmt.Errorf("size %v: %w", size, err)
			}
			for at := 0; at < n; at += 128 {
				b := newAttending(s, 3, n, 1, 5, 1)
				for i := range b.q {
					b.q[i] = 1
				}
				b.keys[at] = 4 + size
				if err := k.CheckAttention(b); err != nil {
					return fmt.Errorf("largest score at %d: %w", at, err)
				}
			}
		}
	}
	return nil
}

// attentionStrides runs rows that are columns of wider matrices, as those of a head
// are, and one query in the place of all.
func attentionStrides(k Layers) error {
	s := newSource(34)
	for _, more := range []int{0, 1, 24, 96} {
		for _, size := range []int{1, 8, 12, 32} {
			a := newAttending(s, 26, 40, size, size+1, 3)
			a.strideDst, a.strideQ = a.width+more, a.depth+more
			a.dst, a.q = s.values(25*a.strideDst+a.width, 4), s.values(25*a.strideQ+a.depth, 1)
			if err := k.CheckAttention(a); err != nil {
				return err
			}
			a.strideQ = 0
			if err := k.CheckAttention(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// attentionAlone computes rows alone: the bits must be those they have among others,
// so that work can be split in any way.
func attentionAlone(k Layers) error {
	s := newSource(35)
	for _, n := range []int{3, 40, 300} {
		a := newAttending(s, 31, n, 9, 21, 5)
		if err := k.CheckAttention(a); err != nil {
			return err
		}
		alone := make([]float32, a.width)
		scores := make([]float32, kernel.AttentionScores(1, n))
		for i := range a.rows {
			k.Attention(alone, a.q[i*a.depth:], a.keys, a.values, scores, 1, n, a.depth, a.width, a.width, a.depth)
			if !same(bits(alone), a.dst[i*a.width:(i+1)*a.width]) {
				return fmt.Errorf("row %d of attention to %d keys has other bits alone", i, n)
			}
		}
		if err := k.columnsAlone(s, n); err != nil {
			return err
		}
	}
	return nil
}

// columnsAlone computes blocks of columns alone, as threads do.
func (k Layers) columnsAlone(s source, n int) error {
	a := newAttending(s, 300, n, 9, 21, 5)
	dst, q, keys, values, strideDst, strideQ, strideKeys := a.turned(s)
	block := kernel.ColumnBlock(n)
	scores, parts := make([]float32, kernel.AttentionColumnsScores(a.rows, n)), make([]float32, len(dst))
	k.AttentionColumns(dst, q, keys, values, scores, a.rows, n, a.depth, a.width, strideDst, strideQ, strideKeys)
	for i := 0; i < a.rows; i += block {
		k.AttentionColumns(parts[i:], q[i:], keys, values, scores, min(block, a.rows-i), n, a.depth, a.width, strideDst, strideQ, strideKeys)
	}
	if !same(bits(parts), dst) {
		return fmt.Errorf("blocks of columns of attention to %d keys have other bits alone", n)
	}
	return nil
}

// attentionSpecials masks keys with a score of −Inf, all of them too, and lets one
// score be +Inf or NaN: its row must be NaN, and no other.
func attentionSpecials(k Layers) error {
	s := newSource(36)
	for _, n := range []int{1, 5, 40, 300} {
		const rows, width = 5, 19
		a := newAttending(s, rows, n, 2, width, 2)
		for i := range rows {
			a.q[2*i], a.q[2*i+1] = s.Float32(), 1
		}
		run := func(dst []float32, a attending) {
			k.Attention(dst, a.q, a.keys, a.values, make([]float32, kernel.AttentionScores(rows, a.n)), rows, a.n, 2, width, width, 2)
		}
		// Every third key masked gives what the others give by themselves, but for
		// where the blocks end.
		masked, rest := a, newAttending(s, rows, n-(n+2)/3, 2, width, 2)
		masked.keys = append([]float32(nil), a.keys...)
		copy(rest.q, a.q)
		to := 0
		for j := range n {
			if j%3 == 0 {
				masked.keys[n+j] = -inf
				continue
			}
			rest.keys[to], rest.keys[rest.n+to] = a.keys[j], a.keys[n+j]
			copy(rest.values[to*width:], a.values[j*width:(j+1)*width])
			to++
		}
		run(masked.dst, masked)
		if err := k.CheckAttention(rest); err != nil {
			return err
		}
		for i, v := range rest.dst {
			if d := math.Abs(float64(v - masked.dst[i])); !(d < 1e-5) {
				return fmt.Errorf("%d keys, every third masked: [%d] is %v, want %v", n, i, masked.dst[i], v)
			}
		}
		for j := range n {
			masked.keys[n+j] = -inf
		}
		run(masked.dst, masked)
		for i, v := range masked.dst {
			if v != 0 {
				return fmt.Errorf("%d keys, all masked: [%d] is %v", n, i, v)
			}
		}
		for _, special := range []float32{inf, nan, odd} {
			b := a
			b.dst, b.q = make([]float32, len(a.dst)), append([]float32(nil), a.q...)
			b.q[2*3] = special // row 3: a score of +Inf or −Inf or NaN
			b.keys[s.IntN(n)] = 1
			run(b.dst, b)
			for i, v := range b.dst {
				if (v != v) != (i/width == 3) {
					return fmt.Errorf("%d keys, %v in query 3: [%d, %d] is %v", n, special, i/width, i%width, v)
				}
			}
			dst, q, keys, values, strideDst, strideQ, strideKeys := b.turned(s)
			k.AttentionColumns(dst, q, keys, values, make([]float32, kernel.AttentionColumnsScores(rows, n)), rows, n, 2, width, strideDst, strideQ, strideKeys)
			for at, v := range dst {
				if (v != v) != (at%strideDst == 3) {
					return fmt.Errorf("%d keys, %v in query 3: column %d has %v", n, special, at%strideDst, v)
				}
			}
		}
	}
	return nil
}
