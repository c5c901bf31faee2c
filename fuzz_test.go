package ragedge

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// floats reads data as float32 values of any kind.
func floats(data []byte) []float32 {
	x := make([]float32, len(data)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return x
}

// seed adds data that reaches blocks and tails, with special values among it.
func seed(f *testing.F, add func(data []byte)) {
	special := []float32{0, float32(math.Inf(-1)), float32(math.Inf(1)), float32(math.NaN()), 1e-40, -math.MaxFloat32}
	for _, n := range []int{0, 1, 7, 8, 33, 100} {
		var data []byte
		for i := range n {
			v := float32(math.Sin(float64(i)))
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		add(data)
		for i := range min(n, len(special)) {
			binary.LittleEndian.PutUint32(data[4*(n-1-i):], math.Float32bits(special[i]))
		}
		add(data)
	}
}

// fuzz runs check with every kernel set.
func fuzz(t *testing.T, check func() error) {
	for _, set := range KernelSets() {
		require.NoError(t, Use(set))
		require.NoError(t, check(), set)
	}
}

func FuzzDot(f *testing.F) {
	seed(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		x := floats(data)
		a, b := x[:len(x)/2], x[len(x)/2:]
		fuzz(t, func() error { return public.CheckDot(a, b) })
	})
}

func FuzzSoftmax(f *testing.F) {
	seed(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		x := floats(data)
		fuzz(t, func() error { return public.CheckSoftmax(make([]float32, len(x)), x) })
		fuzz(t, func() error { in := append([]float32(nil), x...); return public.CheckSoftmax(in, in) })
	})
}

func FuzzGatedSum(f *testing.F) {
	seed(f, func(data []byte) {
		for _, width := range []uint8{1, 5, 8, 32, 41} {
			f.Add(width, data)
		}
	})
	f.Fuzz(func(t *testing.T, width uint8, data []byte) {
		x := floats(data)
		w := min(int(width), len(x))
		dst, x := x[:w], x[w:]
		rows := len(x) / (w + 1)
		gates, regions := x[:rows], x[rows:]
		fuzz(t, func() error {
			return public.CheckGatedSum(append([]float32(nil), dst...), gates, regions)
		})
	})
}
