//go:build !purego

package ragedge

// fmaAVX2 does n multiply-adds, rounded up to a multiple of 96, and returns how
// many.
//
//go:noescape
func fmaAVX2(n int) float32

// fmaAVX512 does n multiply-adds, rounded up to a multiple of 384, and returns how
// many.
//
//go:noescape
func fmaAVX512(n int) float32

// loadsAVX2 reads x so many times; len(x) is a multiple of 128.
//
//go:noescape
func loadsAVX2(x []float32, times int)

// loadsAVX512 reads x so many times; len(x) is a multiple of 128.
//
//go:noescape
func loadsAVX512(x []float32, times int)

func probeFMA(n int) float32 {
	switch current {
	case "avx512":
		return fmaAVX512(n)
	case "avx2":
		return fmaAVX2(n)
	}
	return plainFMA(n)
}

func probeBlock() int {
	if current == "generic" {
		return plainBlock
	}
	return 128
}

func probeLoads(x []float32, times int) {
	switch current {
	case "avx512":
		loadsAVX512(x, times)
	case "avx2":
		loadsAVX2(x, times)
	default:
		plainLoads(x, times)
	}
}
