//go:build (!amd64 && !arm64) || purego

package ragedge

func probeFMA(n int) float32 { return plainFMA(n) }

func probeBlock() int { return plainBlock }

func probeLoads(x []float32, times int) { plainLoads(x, times) }
