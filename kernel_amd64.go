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

// wide is the least length for which most loops on AVX-512 are faster. Below, there
// are too few vectors to save, while a sum has one step more to fold, and a tail one
// piece more.
const wide = 32

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

// dotAVX512 is dotAVX2 on AVX-512.
//
//go:noescape
func dotAVX512(a, b []float32) float32

// maxAVX2 returns the largest of m and x, or any value when there is a NaN.
//
//go:noescape
func maxAVX2(x []float32, m float32) float32

// maxAVX512 is maxAVX2 on AVX-512.
//
//go:noescape
func maxAVX512(x []float32, m float32) float32

// expSumAVX2 sets dst[i] = e^(x[i]−m) over len(x) values and returns their sum.
// No x[i] is above m. dst may be x.
//
//go:noescape
func expSumAVX2(dst, x []float32, m float32) float32

// expSumAVX512 is expSumAVX2 on AVX-512.
//
//go:noescape
func expSumAVX512(dst, x []float32, m float32) float32

// scaleAVX2 multiplies every x[i] by s.
//
//go:noescape
func scaleAVX2(x []float32, s float32)

// scaleAVX512 is scaleAVX2 on AVX-512.
//
//go:noescape
func scaleAVX512(x []float32, s float32)

// softmaxAVX2 is Softmax of at least one value on AVX2 and FMA; dst is as long as x.
//
//go:noescape
func softmaxAVX2(dst, x []float32)

// softmaxAVX512 is softmaxAVX2 on AVX-512.
//
//go:noescape
func softmaxAVX512(dst, x []float32)

// gatedSumAVX2 is gatedSum on AVX2 and FMA; regions has a row for every gate.
//
//go:noescape
func gatedSumAVX2(dst, gates, regions []float32)

// gatedSumAVX512 is gatedSumAVX2 on AVX-512.
//
//go:noescape
func gatedSumAVX512(dst, gates, regions []float32)

func dot(a, b []float32) float32 {
	if !useAVX2 {
		return kernel.Dot(a, b)
	}
	if len(a) > perCall {
		return dot(a[:perCall], b[:perCall]) + dot(a[perCall:], b[perCall:])
	}
	if useAVX512 && len(a) >= 2*wide { // each vector takes two loads, and is soon done
		return dotAVX512(a, b)
	}
	return dotAVX2(a, b)
}

func maximum(x []float32, m float32) float32 {
	if useAVX512 && len(x) >= wide {
		return maxAVX512(x, m)
	}
	if useAVX2 {
		return maxAVX2(x, m)
	}
	return kernel.Maximum(x, m)
}

// expSum takes AVX-512 as soon as one vector of it replaces two.
func expSum(dst, x []float32, m float32) float32 {
	if useAVX512 && len(x) > 8 {
		return expSumAVX512(dst, x, m)
	}
	if useAVX2 {
		return expSumAVX2(dst, x, m)
	}
	return kernel.ExpSum(dst, x, m)
}

func scale(x []float32, s float32) {
	if useAVX512 && len(x) >= wide {
		scaleAVX512(x, s)
		return
	}
	if useAVX2 {
		scaleAVX2(x, s)
		return
	}
	kernel.Scale(x, s)
}

// softmaxAtOnce is Softmax in one call of assembly, if there is such a kernel and one
// call may take that many; if not, it returns false. dst is as long as x.
func softmaxAtOnce(dst, x []float32) bool {
	if !useAVX2 || len(x) == 0 || len(x) > perCall {
		return false
	}
	if useAVX512 && len(x) >= wide {
		softmaxAVX512(dst, x)
	} else {
		softmaxAVX2(dst, x)
	}
	return true
}

// gatedSum takes AVX-512 for more columns than a vector of AVX2 holds. With fewer,
// the loads of wider vectors only cross more cache lines.
func gatedSum(dst, gates, regions []float32) {
	if useAVX512 && len(dst) > 8 {
		gatedSumAVX512(dst, gates, regions)
		return
	}
	if useAVX2 {
		gatedSumAVX2(dst, gates, regions)
		return
	}
	kernel.GatedSum(dst, gates, regions)
}
