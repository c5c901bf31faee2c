package kerneltest

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

func withDot(f func(a, b []float32) float32) Impl {
	return Impl{f, kernel.Softmax, kernel.GatedSum}
}

func withSoftmax(f func(dst, x []float32)) Impl { return Impl{kernel.Dot, f, kernel.GatedSum} }

func withGatedSum(f func(dst, gates, regions []float32)) Impl {
	return Impl{kernel.Dot, kernel.Softmax, f}
}

// beyond is the slice and one value after it.
func beyond(x []float32) []float32 { return unsafe.Slice(unsafe.SliceData(x), len(x)+1) }

// fault is an implementation with a fault that check must find.
type fault struct {
	check func(Impl) error
	impl  Impl
}

func plant(t *testing.T, faults map[string]fault) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) { require.Error(t, f.check(f.impl)) })
	}
}

// TestFaults and its like show that the checks find what they are for. That they
// pass on an implementation without a fault is a test of package kernel.
func TestFaults(t *testing.T) {
	plant(t, map[string]fault{
		"dot without its tail": {lengths, withDot(func(a, b []float32) float32 {
			return kernel.Dot(a[:min(len(a), len(b))&^7], b)
		})},
		"dot in half precision": {random, withDot(func(a, b []float32) float32 {
			return float32(math.Round(float64(kernel.Dot(a, b))*1024) / 1024)
		})},
		"dot that writes": {lengths, withDot(func(a, b []float32) float32 {
			if len(a) > 200 {
				a[200] = 0
			}
			return kernel.Dot(a, b)
		})},
		"dot that depends on the alignment": {lengths, withDot(func(a, b []float32) float32 {
			if len(a) < 99 || uintptr(unsafe.Pointer(&a[0]))%64 != 0 {
				return kernel.Dot(a, b)
			}
			return kernel.Dot(a[:50], b[:50]) + kernel.Dot(a[50:], b[50:])
		})},
		"dot of one call's worth": {long, withDot(func(a, b []float32) float32 {
			return kernel.Dot(a[:min(len(a), 1<<17)], b)
		})},
		"dot that hides NaN": {specials, withDot(func(a, b []float32) float32 {
			if sum := kernel.Dot(a, b); sum == sum {
				return sum
			}
			return 0
		})},
		"dot that assumes disjoint slices": {overlap, withDot(func(a, b []float32) float32 {
			if &a[0] != &b[0] && &a[:cap(a)][cap(a)-1] == &b[:cap(b)][cap(b)-1] {
				return 0
			}
			return kernel.Dot(a, b)
		})},
		"dot of the first length": {unequal, withDot(func(a, b []float32) float32 {
			return kernel.Dot(a, b[:min(len(b), len(a)-len(a)%2)])
		})},
		"softmax that writes on": {lengths, withSoftmax(func(dst, x []float32) {
			kernel.Softmax(dst, x)
			if len(dst) > 0 {
				beyond(dst)[len(dst)] = 0
			}
		})},
		"softmax that fails in place": {lengths, withSoftmax(func(dst, x []float32) {
			copy(dst, make([]float32, len(dst)))
			kernel.Softmax(dst, x)
		})},
		"softmax that clears the rest": {unequal, withSoftmax(func(dst, x []float32) {
			clear(dst[min(len(dst), len(x)):])
			kernel.Softmax(dst, x)
		})},
		"softmax that shares among the masked": {masks, withSoftmax(func(dst, x []float32) {
			kernel.Softmax(dst, x)
			if kernel.Dot(dst, dst) == 0 && len(dst) == 13 {
				dst[0] = 1
			}
		})},
		"softmax that lets a mask through": {masks, withSoftmax(func(dst, x []float32) {
			shifted := slices.Clone(x)
			for i, v := range shifted {
				shifted[i] = max(v, -30)
			}
			kernel.Softmax(dst, shifted)
		})},
		"softmax without the largest value": {wideRange, withSoftmax(func(dst, x []float32) {
			sum := float32(0)
			for i, v := range x {
				dst[i] = float32(math.Exp(float64(v)))
				sum += dst[i]
			}
			for i := range x {
				dst[i] /= max(sum, 1)
			}
		})},
		"gated sum without its last row": {rows, withGatedSum(func(dst, gates, regions []float32) {
			kernel.GatedSum(dst, gates[:len(gates)&^1], regions)
		})},
		"gated sum that overwrites": {rows, withGatedSum(func(dst, gates, regions []float32) {
			clear(dst)
			kernel.GatedSum(dst, gates, regions)
		})},
		"gated sum that skips a gate of 0": {specials, withGatedSum(func(dst, gates, regions []float32) {
			for i, g := range gates {
				if g != 0 && len(regions) >= (i+1)*len(dst) {
					kernel.GatedSum(dst, gates[i:i+1], regions[i*len(dst):])
				}
			}
		})},
	})
}

func TestExpFaults(t *testing.T) {
	exact := func(v float32) float32 {
		if v < cutoff {
			return 0
		}
		return float32(math.Exp(float64(v)))
	}
	for name, f := range map[string]func(v float32) float32{
		"two ulp off": func(v float32) float32 {
			e := exact(v)
			if v < -87 && e > 0 {
				e = math.Float32frombits(math.Float32bits(e) + 2)
			}
			return e
		},
		"subnormal below the range": func(v float32) float32 { return float32(math.Exp(float64(v))) },
		"number for NaN": func(v float32) float32 {
			if v != v {
				return 0
			}
			return exact(v)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := checkExp(each(f), 4001)
			require.Error(t, err)
		})
	}
	_, err := checkExp(each(exact), 4001)
	require.NoError(t, err)
}

func each(f func(v float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}
