//go:build !purego

package ragedge

// fmaNEON does n multiply-adds, rounded up to a multiple of 96, and returns how
// many.
//
//go:noescape
func fmaNEON(n int) float32

// loadsNEON reads x so many times; len(x) is a multiple of 128.
//
//go:noescape
func loadsNEON(x []float32, times int)

func probeFMA(n int) float32 {
	if useNEON {
		return fmaNEON(n)
	}
	return plainFMA(n)
}

func probeBlock() int {
	if useNEON {
		return 128
	}
	return plainBlock
}

func probeLoads(x []float32, times int) {
	if useNEON {
		loadsNEON(x, times)
		return
	}
	plainLoads(x, times)
}
