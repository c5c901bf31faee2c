//go:build !purego

package ragedge

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/ragedge/ragedge/kernel"
)

var (
	hasAVX2   = cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3)
	hasAVX512 = hasAVX2 && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512VL, cpuid.AVX512BW, cpuid.AVX512DQ)

	// The set avx512 is avx2 with kernels of its own where they are faster.
	useAVX2   = hasAVX2
	useAVX512 = hasAVX512
)

// assembled names the assembly sets of this CPU, best first.
func assembled() []string {
	switch {
	case hasAVX512:
		return []string{"avx512", "avx2"}
	case hasAVX2:
		return []string{"avx2"}
	}
	return nil
}

func use(set string) {
	useAVX512 = set == "avx512"
	useAVX2 = set == "avx2" || useAVX512
}

// dotAVX2 is dot on AVX2 and FMA; b is as long as a.
//
//go:noescape
func dotAVX2(a, b []float32) float32

// maxAVX2 returns the largest of m and x, or any value when there is a NaN.
//
//go:noescape
func maxAVX2(x []float32, m float32) float32

// expSumAVX2 sets dst[i] = e^(x[i]−m) over len(x) values and returns their sum.
// No x[i] is above m. dst may be x.
//
//go:noescape
func expSumAVX2(dst, x []float32, m float32) float32

// scaleAVX2 multiplies every x[i] by s.
//
//go:noescape
func scaleAVX2(x []float32, s float32)

// gatedSumAVX2 is gatedSum on AVX2 and FMA; regions has a row for every gate.
//
//go:noescape
func gatedSumAVX2(dst, gates, regions []float32)

func dot(a, b []float32) float32 {
	if !useAVX2 {
		return kernel.Dot(a, b)
	}
	if len(a) > perCall {
		return dotAVX2(a[:perCall], b[:perCall]) + dot(a[perCall:], b[perCall:])
	}
	return dotAVX2(a, b)
}

func maximum(x []float32, m float32) float32 {
	if useAVX2 {
		return maxAVX2(x, m)
	}
	return kernel.Maximum(x, m)
}

func expSum(dst, x []float32, m float32) float32 {
	if useAVX2 {
		return expSumAVX2(dst, x, m)
	}
	return kernel.ExpSum(dst, x, m)
}

func scale(x []float32, s float32) {
	if useAVX2 {
		scaleAVX2(x, s)
		return
	}
	kernel.Scale(x, s)
}

func gatedSum(dst, gates, regions []float32) {
	if useAVX2 {
		gatedSumAVX2(dst, gates, regions)
		return
	}
	kernel.GatedSum(dst, gates, regions)
}
