package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Transpose is one implementation of the transposition of a matrix.
type Transpose func(dst, a []float32, rows, columns, strideDst, strideA int)

var transposeChecks = []struct {
	name string
	run  func(Transpose) error
}{
	{"shapes", transposeShapes},
	{"short slices", transposeShort},
	{"guard pages", transposeGuards},
}

// RunTranspose tests f.
func RunTranspose(t *testing.T, f Transpose) {
	for _, c := range transposeChecks {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, c.run(f)) })
	}
}

// Check compares every bit of a transpose, and of what lies between its rows.
func (f Transpose) Check(dst, a []float32, rows, columns, strideDst, strideA int) error {
	was, wasA := bits(dst), bits(a)
	f(dst, a, rows, columns, strideDst, strideA)
	for at, v := range dst {
		want := was[at]
		if j, i := at/strideDst, at%strideDst; i < rows && j < columns {
			want = wasA[i*strideA+j]
		}
		if math.Float32bits(v) != want {
			return fmt.Errorf("transpose of %d by %d, %d apart to %d apart: [%d, %d] is %v, want %v",
				rows, columns, strideA, strideDst, at/strideDst, at%strideDst, v, math.Float32frombits(want))
		}
	}
	if !same(wasA, a) {
		return fmt.Errorf("transpose of %d by %d wrote to its input", rows, columns)
	}
	return nil
}

// transposeShapes runs all small shapes, some large ones and several strides, on values
// that include every kind of NaN.
func transposeShapes(f Transpose) error {
	s := newSource(41)
	check := func(rows, columns, more int) error {
		strideDst, strideA := max(1, rows+more), columns+2*more
		a := s.values(max(0, (rows-1)*strideA+columns), 4)
		for i := range a {
			if i%7 == 0 {
				a[i] = allValues[s.IntN(len(allValues))]
			}
		}
		dst := place(s.values(max(0, (columns-1)*strideDst+rows), 4), rows%alignments)
		if err := f.Check(dst.x, a, rows, columns, strideDst, strideA); err != nil {
			return err
		}
		if !dst.intact() {
			return fmt.Errorf("transpose of %d by %d wrote beside dst", rows, columns)
		}
		return nil
	}
	for rows := range 27 {
		for columns := range 27 {
			if err := check(rows, columns, (rows+columns)%3); err != nil {
				return err
			}
		}
	}
	for _, shape := range [][2]int{{1, 300}, {300, 1}, {51, 32}, {197, 192}, {257, 9}, {520, 17}} {
		for _, more := range []int{0, 5} {
			if err := check(shape[0], shape[1], more); err != nil {
				return err
			}
		}
	}
	return nil
}

// transposeShort gives slices that are one value short, and numbers that are negative,
// overflow or make rows of dst overlap: nothing may be written.
func transposeShort(f Transpose) error {
	const rows, columns = 9, 17
	const huge = math.MaxInt/2 + 2
	s := newSource(42)
	a, dst := s.values(rows*columns, 1), s.values(rows*columns, 1)
	was := bits(dst)
	for i, call := range []func(){
		func() { f(dst[1:], a, rows, columns, rows, columns) },
		func() { f(dst, a[1:], rows, columns, rows, columns) },
		func() { f(dst, a, rows, columns, rows-1, columns) },
		func() { f(dst, a, rows, columns, rows+1, columns) },
		func() { f(dst, a, rows, columns, rows, columns+1) },
		func() { f(dst, a, -1, columns, rows, columns) },
		func() { f(dst, a, rows, -1, rows, columns) },
		func() { f(dst, a, rows, columns, -1, columns) },
		func() { f(dst, a, rows, columns, rows, -1) },
		func() { f(dst, a, rows, columns, huge, columns) },
		func() { f(dst, a, huge, 2, huge, 0) },
	} {
		call()
		if !same(was, dst) {
			return fmt.Errorf("call %d with arguments that do not fit wrote to dst", i)
		}
	}
	return nil
}
