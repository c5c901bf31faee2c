package kerneltest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

// Layers is one implementation of what is made of several loops: layers and
// attention. MatMul, Relu and Gelu belong to it because Linear is defined by them.
type Layers struct {
	MatMul     func(dst, x []float32, rows int, w *kernel.Packed, bias []float32)
	Relu, Gelu func(dst, x []float32)
	Linear     func(dst, x []float32, rows int, w *kernel.Packed, bias []float32, act kernel.Activation, stride, first, end int)
	Attention  func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ int)

	AttentionColumns func(dst, q, keys, values, scores []float32, rows, n, depth, width, strideDst, strideQ, strideKeys int)
}

// PlainLayers is plain Go.
var PlainLayers = Layers{kernel.MatMul, kernel.Relu, kernel.Gelu, kernel.Linear, kernel.Attention, kernel.AttentionColumns}

var layerChecks = []struct {
	name string
	run  func(Layers) error
}{
	{"linear", linearShapes},
	{"attention", attentionShapes},
	{"attention of several blocks", attentionBlocks},
	{"attention strides", attentionStrides},
	{"attention alone", attentionAlone},
	{"attention special values", attentionSpecials},
	{"attention in place", attentionInPlace},
	{"short slices", layersShort},
	{"guard pages", layerGuards},
}

// RunLayers tests k.
func RunLayers(t *testing.T, k Layers) {
	for _, c := range layerChecks {
		t.Run(c.name, func(t *testing.T) { require.NoError(t, c.run(k)) })
	}
}

// CheckLinear compares a layer with the matrix product of the same implementation: all
// bits must be those of that product under the activation, for all columns and for some
// of them, and no other column may change.
func (k Layers) CheckLinear(dst, x []float32, rows int, weight []float32, out, in int, bias []float32) error {
	w := kernel.Pack(weight, out, in)
	was := slices.Clone(dst)
	want := make([]float32, len(dst))
	for _, act := range []kernel.Activation{kernel.Identity, kernel.ReLU, kernel.GELU} {
		k.MatMul(want, x, rows, &w, bias)
		switch act {
		case kernel.ReLU:
			k.Relu(want, want)
		case kernel.GELU:
			k.Gelu(want, want)
		}
		for _, columns := range someColumns(out) {
			copy(dst, was)
			k.Linear(from(dst, columns[0]), x, rows, &w, bias, act, out, columns[0], columns[1])
			if err := onlyColumns(dst, was, want, out, columns); err != nil {
				return fmt.Errorf("layer of %d rows, %d inputs, %d outputs, activation %d, columns %v: %w", rows, in, out, act, columns, err)
			}
		}
	}
	return nil
}

// from is x from its first values on, as far as there are any.
func from(x []float32, first int) []float32 { return x[min(first, len(x)):] }

// someColumns are all columns, halves, one panel and none.
func someColumns(out int) [][2]int {
	half := out / 2 / kernel.PanelWidth * kernel.PanelWidth
	return [][2]int{{0, out}, {0, half}, {half, out}, {half, min(half+1, out)}, {half, half}}
}

// onlyColumns compares the columns with want and the others with was, bit by bit.
func onlyColumns(got, was, want []float32, out int, columns [2]int) error {
	for at, v := range got {
		expected := was[at]
		if j := at % out; j >= columns[0] && j < columns[1] {
			expected = want[at]
		}
		if math.Float32bits(v) != math.Float32bits(expected) && (v == v || expected == expected) {
			return fmt.Errorf("[%d, %d] is %v, want %v", at/out, at%out, v, expected)
		}
	}
	return nil
}

func linearShapes(k Layers) error {
	s := newSource(31)
	for _, rows := range []int{0, 1, 2, 5, 9, 130} {
		for _, out := range []int{1, 5, 15, 16, 17, 32, 33, 70, 300, 513} {
			for _, in := range []int{0, 1, 7, 40, 300} {
				if rows*out*in > 1<<20 || testing.Short() && rows*out*(in+16) > 1<<18 {
					continue
				}
				x, weight, bias := s.values(rows*in, 4), s.values(out*in, 1), s.values(out, 4)
				dst := place(s.values(rows*out, 4), rows%alignments)
				for _, b := range [][]float32{nil, bias} {
					if err := k.CheckLinear(dst.x, x, rows, weight, out, in, b); err != nil {
						return err
					}
				}
				if !dst.intact() {
					return fmt.Errorf("layer of %d rows, %d inputs, %d outputs wrote beside dst", rows, in, out)
				}
			}
		}
	}
	return nil
}
