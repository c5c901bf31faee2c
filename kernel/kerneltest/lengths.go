package kerneltest

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// alignments is how many places a slice can start at in a cache line.
const alignments = 16

// testLengths are all lengths around the blocks of any implementation, and some
// around large ones; in a short run up to twice the longest block, and fewer beyond.
func testLengths() (all []int) {
	if testing.Short() {
		for n := range 134 {
			all = append(all, n)
		}
		return append(all, 195, 259, 1023, 4097)
	}
	for n := range 261 {
		all = append(all, n)
	}
	for _, middle := range []int{1024, 4096} {
		for n := middle - 3; n <= middle+3; n++ {
			all = append(all, n)
		}
	}
	return all
}

// offsets are the alignments for n values: all, or in a short run four, which are others
// for the next n.
func offsets(n int) (all []int) {
	step := stride(alignments / 4)
	for offset := n % step; offset < alignments; offset += step {
		all = append(all, offset)
	}
	return all
}

// beyondOneCall is a length that takes several calls of any assembly, three or in a short
// run two. The last one has enough values to stand out from the bound.
func beyondOneCall() int {
	if testing.Short() {
		return 1<<17 + 1<<13 + 37
	}
	return 2<<17 + 37
}

// sentinel surrounds every placed slice. No kernel computes it.
const sentinel = -12345.678

// placed is a slice with sentinels around it.
type placed struct {
	all []float32
	x   []float32
}

// place copies x to a slice that starts offset values after a cache line.
func place(x []float32, offset int) placed {
	const line = alignments
	all := make([]float32, line+offset+len(x)+line+line)
	for i := range all {
		all[i] = sentinel
	}
	start := line + offset
	for uintptr(unsafe.Pointer(&all[start]))%(4*line) != uintptr(4*offset) {
		start++
	}
	p := placed{all, all[start : start+len(x)]}
	copy(p.x, x)
	return p
}

// intact reports whether everything around the slice is as it was.
func (p placed) intact() bool {
	start := int(uintptr(unsafe.Pointer(unsafe.SliceData(p.x)))-uintptr(unsafe.Pointer(&p.all[0]))) / 4
	for i, v := range p.all {
		if (i < start || i >= start+len(p.x)) && v != sentinel {
			return false
		}
	}
	return true
}

// lengths runs every length at every alignment. The alignment must not change a
// bit of the result.
func lengths(k Impl) error {
	s := newSource(1)
	for _, n := range testLengths() {
		rows := n % 6
		a, b, x, dst := s.values(n, 4), s.values(n, 4), s.values(n, 20), s.values(n, 4)
		gates, regions := s.values(rows, 1), s.values(rows*n, 4)
		var first []uint32
		for _, offset := range offsets(n) {
			got, err := aligned(k, offset, a, b, x, dst, gates, regions)
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

// aligned runs the kernels on copies that start at offset and, for other
// operands, elsewhere. It returns all results in one slice.
func aligned(k Impl, offset int, a, b, x, dst, gates, regions []float32) ([]float32, error) {
	other := (7*offset + 3) % alignments
	pa, pb := place(a, offset), place(b, other)
	if err := k.CheckDot(pa.x, pb.x); err != nil {
		return nil, err
	}
	px, pdst := place(x, other), place(dst, offset)
	if err := k.CheckSoftmax(pdst.x, px.x); err != nil {
		return nil, err
	}
	if !pdst.intact() {
		return nil, fmt.Errorf("softmax of %d values wrote beside dst", len(x))
	}
	inPlace := place(x, offset)
	if err := k.CheckSoftmax(inPlace.x, inPlace.x); err != nil {
		return nil, fmt.Errorf("in place: %w", err)
	}
	if !inPlace.intact() {
		return nil, fmt.Errorf("softmax of %d values in place wrote beside it", len(x))
	}
	if !same(bits(pdst.x), inPlace.x) {
		return nil, fmt.Errorf("softmax of %d values differs in place", len(x))
	}
	sum, pg, pr := place(dst, offset), place(gates, other), place(regions, (offset+other)%alignments)
	if err := k.CheckGatedSum(sum.x, pg.x, pr.x); err != nil {
		return nil, err
	}
	if !sum.intact() {
		return nil, fmt.Errorf("gated sum of %d rows of %d wrote beside dst", len(gates), len(dst))
	}
	all := append([]float32{k.Dot(pa.x, pb.x)}, pdst.x...)
	return append(all, sum.x...), nil
}

// rows runs gated sums of all row counts on the widths where strips change.
func rows(k Impl) error {
	s := newSource(2)
	for _, width := range []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 63, 64, 65} {
		for n := range 40 {
			dst := place(s.values(width, 4), n%alignments)
			if err := k.CheckGatedSum(dst.x, s.values(n, 1), s.values(n*width, 4)); err != nil {
				return err
			}
			if !dst.intact() {
				return fmt.Errorf("gated sum of %d rows of %d wrote beside dst", n, width)
			}
		}
	}
	return nil
}

// unequal gives slices of different length: the shorter decides, and the rest of
// dst stays.
func unequal(k Impl) error {
	s := newSource(3)
	for n := range 70 {
		for _, more := range []int{1, 5, 64} {
			short, long := s.values(n, 4), s.values(n+more, 4)
			if err := k.CheckDot(short, long); err != nil {
				return err
			}
			if err := k.CheckDot(long, short); err != nil {
				return err
			}
			if err := unequalSoftmax(k, short, long); err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			// A gate too many, and regions with a part of a row left over.
			if err := k.CheckGatedSum(s.values(n, 4), s.values(4, 1), s.values(3*n+n-1, 4)); err != nil {
				return err
			}
			if err := k.CheckGatedSum(s.values(n, 4), s.values(2, 1), s.values(3*n, 4)); err != nil {
				return err
			}
		}
	}
	k.GatedSum(nil, s.values(3, 1), s.values(3, 1))
	return nil
}

func unequalSoftmax(k Impl, short, long []float32) error {
	n := len(short)
	dst := place(long, 0)
	k.Softmax(dst.x, short)
	if err := softmaxError(dst.x[:n], exactSoftmax(short)); err != nil {
		return fmt.Errorf("softmax of %d values: %w", n, err)
	}
	if !same(bits(long[n:]), dst.x[n:]) {
		return fmt.Errorf("softmax of %d values wrote to the rest of dst", n)
	}
	head := place(short, 0)
	k.Softmax(head.x, long)
	if err := softmaxError(head.x, exactSoftmax(long[:n])); err != nil {
		return fmt.Errorf("softmax of the first %d of %d values: %w", n, len(long), err)
	}
	if !head.intact() {
		return fmt.Errorf("softmax of the first %d of %d values wrote beside dst", n, len(long))
	}
	return nil
}

// long runs slices beyond the most that one assembly call takes.
func long(k Impl) error {
	n := beyondOneCall()
	s := newSource(4)
	// No cancelling, so that a missing part stands out from the bound.
	if err := k.CheckDot(s.positive(n), s.positive(n)); err != nil {
		return err
	}
	x := s.values(n, 5)
	x[n-5] = 9 // the largest in the last part
	dst := make([]float32, n)
	if err := k.CheckSoftmax(dst, x); err != nil {
		return err
	}
	if err := k.CheckSoftmax(x, x); err != nil {
		return err
	}
	if !same(bits(dst), x) {
		return fmt.Errorf("softmax of %d values differs in place", n)
	}
	for _, width := range []int{3, 1000, n} {
		rows := max(2, n/width)
		if err := k.CheckGatedSum(s.values(width, 1), s.positive(rows), s.positive(rows*width)); err != nil {
			return err
		}
	}
	return nil
}

// overlap gives dot products slices that overlap.
func overlap(k Impl) error {
	x := newSource(5).values(100, 4)
	for shift := range 40 {
		if err := k.CheckDot(x[:60], x[shift:shift+60]); err != nil {
			return fmt.Errorf("shifted by %d: %w", shift, err)
		}
	}
	if got := k.Dot(x, x); got < 0 || math.IsNaN(float64(got)) {
		return fmt.Errorf("dot of a vector with itself is %v", got)
	}
	return nil
}
