//go:build !purego

package ragedge

import (
	"math"

	"github.com/ragedge/ragedge/kernel"
)

// useNEON starts true: every arm64 CPU has NEON, so there is nothing to ask.
var useNEON = true

// assembled names the assembly sets of this CPU, best first.
func assembled() []string { return []string{"neon"} }

func use(set string) { useNEON = set == "neon" }

// dotNEON is dot on NEON; b is as long as a.
//
//go:noescape
func dotNEON(a, b []float32) float32

// maxNEON returns the largest of m and x, or NaN when there is one.
//
//go:noescape
func maxNEON(x []float32, m float32) float32

// expSumNEON sets dst[i] = e^(x[i]−m) over len(x) values and returns their sum.
// No x[i] is above m. dst may be x.
//
//go:noescape
func expSumNEON(dst, x []float32, m float32) float32

// scaleNEON multiplies every x[i] by s.
//
//go:noescape
func scaleNEON(x []float32, s float32)

// gatedSumNEON is gatedSum on NEON; regions has a row for every gate.
//
//go:noescape
func gatedSumNEON(dst, gates, regions []float32)

func dot(a, b []float32) float32 {
	if !useNEON {
		return kernel.Dot(a, b)
	}
	if len(a) > perCall {
		return dotNEON(a[:perCall], b[:perCall]) + dot(a[perCall:], b[perCall:])
	}
	return dotNEON(a, b)
}

func softmax(dst, x []float32) {
	if !useNEON {
		kernel.Softmax(dst, x)
		return
	}
	if len(x) > perCall {
		softmaxLong(dst, x)
		return
	}
	m := maxNEON(x, -math.MaxFloat32)
	sum := expSumNEON(dst, x, m)
	scaleNEON(dst, 1/max(sum, 1))
}

// softmaxLong is softmax with several calls for each step.
func softmaxLong(dst, x []float32) {
	m := float32(-math.MaxFloat32)
	for i := 0; i < len(x); i += perCall {
		m = maxNEON(x[i:min(i+perCall, len(x))], m)
	}
	var sum float32
	for i := 0; i < len(x); i += perCall {
		end := min(i+perCall, len(x))
		sum += expSumNEON(dst[i:end], x[i:end], m)
	}
	for i := 0; i < len(dst); i += perCall {
		scaleNEON(dst[i:min(i+perCall, len(dst))], 1/max(sum, 1))
	}
}

func gatedSum(dst, gates, regions []float32) {
	if useNEON {
		gatedSumNEON(dst, gates, regions)
		return
	}
	kernel.GatedSum(dst, gates, regions)
}
