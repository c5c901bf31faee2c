//go:build !purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

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

func maximum(x []float32, m float32) float32 {
	if useNEON {
		return maxNEON(x, m)
	}
	return kernel.Maximum(x, m)
}

func expSum(dst, x []float32, m float32) float32 {
	if useNEON {
		return expSumNEON(dst, x, m)
	}
	return kernel.ExpSum(dst, x, m)
}

func scale(x []float32, s float32) {
	if useNEON {
		scaleNEON(x, s)
		return
	}
	kernel.Scale(x, s)
}

// softmaxAtOnce is false: the steps are all there is.
func softmaxAtOnce(dst, x []float32) bool { return false }

func gatedSum(dst, gates, regions []float32) {
	if useNEON {
		gatedSumNEON(dst, gates, regions)
		return
	}
	kernel.GatedSum(dst, gates, regions)
}
