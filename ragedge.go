// Package ragedge computes the vector loops of region-based attention gating
// with the best instructions of the CPU it runs on: AVX-512, or AVX2 with FMA, on
// amd64, NEON on arm64, plain Go elsewhere and under the purego build tag. What each
// function computes is defined in package kernel.
//
// No function allocates, keeps a slice or panics on a length. All may run at the
// same time in several goroutines, as long as none writes what another uses.
package ragedge

import (
	"math"
	"math/bits"
)

// perCall is how many values of one slice an assembly call takes at most. Go
// cannot preempt assembly, so a longer call would hold up the garbage collector:
// two slices of this length are 1 MiB.
const perCall = 1 << 17

// Dot returns Σ a[i]·b[i] over the shorter of a and b. kernel.Dot defines it.
func Dot(a, b []float32) float32 {
	n := min(len(a), len(b))
	return dot(a[:n], b[:n])
}

// Softmax writes the softmax of x to dst, over the shorter of the two; dst may be
// x. A value of −Inf is masked and gives 0. kernel.Softmax defines it.
func Softmax(dst, x []float32) {
	n := min(len(dst), len(x))
	dst, x = dst[:n], x[:n]
	if softmaxAtOnce(dst, x) {
		return
	}
	if n <= perCall {
		sum := expSum(dst, x, maximum(x, -math.MaxFloat32))
		scale(dst, 1/max(sum, 1))
		return
	}
	m := float32(-math.MaxFloat32)
	for i := 0; i < n; i += perCall {
		m = maximum(x[i:min(i+perCall, n)], m)
	}
	var sum float32
	for i := 0; i < n; i += perCall {
		end := min(i+perCall, n)
		sum += expSum(dst[i:end], x[i:end], m)
	}
	for i := 0; i < n; i += perCall {
		scale(dst[i:min(i+perCall, n)], 1/max(sum, 1))
	}
}

// GatedSum adds gated rows to dst: dst[j] += Σ_i gates[i]·regions[i·len(dst)+j].
// dst must not overlap the others. kernel.GatedSum defines it.
func GatedSum(dst, gates, regions []float32) {
	if len(dst) == 0 || len(gates) == 0 {
		return
	}
	high, size := bits.Mul(uint(len(gates)), uint(len(dst)))
	if high != 0 || size > uint(len(regions)) {
		gates = gates[:len(regions)/len(dst)]
		size = uint(len(gates) * len(dst))
	}
	if size <= perCall {
		gatedSum(dst, gates, regions)
		return
	}
	// Blocks of rows, or of one row's columns when a row alone is too long.
	rows := max(1, perCall/len(dst))
	for i := 0; i < len(gates); i += rows {
		block := gates[i:min(i+rows, len(gates))]
		for j := 0; j < len(dst); j += perCall {
			gatedSum(dst[j:min(j+perCall, len(dst))], block, regions[i*len(dst)+j:])
		}
	}
}
