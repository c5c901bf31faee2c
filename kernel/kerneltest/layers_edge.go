package kerneltest

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// layersShort gives slices that are one value short, and numbers that are negative,
// overflow or are no beginning of a panel: nothing may be written.
func layersShort(k Layers) error {
	const rows, out, in = 3, 20, 4
	s := newSource(37)
	x, weight, bias := s.values(rows*in, 1), s.values(out*in, 1), s.values(out, 1)
	dst := s.values(rows*out, 1)
	w := kernel.Pack(weight, out, in)
	calls := []func(){
		func() { k.Linear(dst[1:], x, rows, &w, bias, kernel.ReLU, out, 0, out) },
		func() { k.Linear(dst, x[1:], rows, &w, bias, kernel.GELU, out, 0, out) },
		func() { k.Linear(dst, x, rows, &w, bias[1:], kernel.Identity, out, 0, out) },
		func() { k.Linear(dst, x, rows, &w, bias, kernel.ReLU, out-1, 0, out) },
	}
	for _, columns := range [][2]int{{-16, out}, {1, out}, {16, 15}, {0, out + 1}, {32, 32}, {0, 0}, {16, 16}} {
		calls = append(calls, func() { k.Linear(dst, x, rows, &w, bias, kernel.ReLU, out, columns[0], columns[1]) })
	}
	const n, depth, width = 7, 5, 6
	const huge = math.MaxInt/2 + 2
	q, keys, values := s.values(rows*depth, 1), s.values(n*depth, 1), s.values(n*width, 1)
	y, scores := dst[:rows*width], make([]float32, kernel.AttentionScores(rows, n))
	attend := func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int) {
		calls = append(calls, func() { k.Attention(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ) })
	}
	attend(y[1:], q, keys, values, scores, rows, n, depth, width, width, depth)
	attend(y, q[1:], keys, values, scores, rows, n, depth, width, width, depth)
	attend(y, q, keys[1:], values, scores, rows, n, depth, width, width, depth)
	attend(y, q, keys, values[1:], scores, rows, n, depth, width, width, depth)
	attend(y, q, keys, values, scores[1:], rows, n, depth, width, width, depth)
	attend(y, q, keys, values, scores, rows, n, depth, width, width-1, depth)
	attend(y, q, keys, values, scores, -1, n, depth, width, width, depth)
	attend(y, q, keys, values, scores, rows, -1, depth, width, width, depth)
	attend(y, q, keys, values, scores, rows, n, -1, width, width, depth)
	attend(y, q, keys, values, scores, rows, n, depth, -1, width, depth)
	attend(y, q, keys, values, scores, rows, huge, depth, width, width, depth)
	attend(y, q, keys, values, scores, rows, n, depth, width, huge, depth)
	attend(y, q, keys, values, scores, rows, n, depth, 0, width, depth)
	wide := make([]float32, kernel.AttentionColumnsScores(rows, n))
	turn := func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int) {
		calls = append(calls, func() {
			k.AttentionColumns(dst, q, keys, values, scores, rows, n, depth, width, strideDst, strideQ, strideKeys)
		})
	}
	turn(y[1:], q, keys, values, wide, rows, n, depth, width, rows, rows, depth)
	turn(y, q[1:], keys, values, wide, rows, n, depth, width, rows, rows, depth)
	turn(y, q, keys[1:], values, wide, rows, n, depth, width, rows, rows, depth)
	turn(y, q, keys, values[1:], wide, rows, n, depth, width, rows, rows, depth)
	turn(y, q, keys, values, wide[1:], rows, n, depth, width, rows, rows, depth)
	turn(y, q, keys, values, wide, rows, n, depth, width, rows-1, rows, depth)
	turn(y, q, keys, values, wide, rows, n, depth, width, rows, huge, depth)
	turn(y, q, keys, values, wide, rows, n, depth, width, rows, rows, huge)
	turn(y, q, keys, values, wide, rows, -1, depth, width, rows, rows, depth)
	turn(y, q, keys, values, wide, -1, n, depth, width, rows, rows, depth)
	was := bits(dst)
	for i, call := range calls {
		call()
		if !same(was, dst) {
			return fmt.Errorf("call %d with arguments that do not fit wrote to dst", i)
		}
	}
	return nil
}

// atGuards runs one shape with each slice at a guard page.
func (k Layers) atGuards(put func(i int, x []float32) []float32, s source, rows, n, size int) error {
	x, weight, bias := put(1, s.values(rows*size, 4)), s.values(n*size, 4), put(2, s.values(n, 4))
	if err := k.CheckLinear(put(0, make([]float32, rows*n)), x, rows, weight, n, size, bias); err != nil {
		return err
	}
	a := newAttending(s, rows, n, size, size+1, 3)
	scores := put(4, make([]float32, kernel.AttentionScores(rows, n)))
	k.Attention(put(0, a.dst), put(1, a.q), put(2, a.keys), put(3, a.values), scores, rows, n, size, size+1, size+1, size)
	dst, q, keys, values, strideDst, strideQ, strideKeys := a.turned(s)
	scores = put(4, make([]float32, kernel.AttentionColumnsScores(rows, n)))
	k.AttentionColumns(put(0, dst), put(1, q), put(2, keys), put(3, values), scores, rows, n, size, size+1, strideDst, strideQ, strideKeys)
	return nil
}
