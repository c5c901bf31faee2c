//go:build (amd64 || arm64) && !purego

package kerneltest

//go:noescape
func loads(a, b []float32)

// Loads reads both slices, len(a) values rounded down to a multiple of 32, with the
// widest loads that the kernels use, and computes nothing. No kernel that reads
// both can take less time, so benchmarks hold the dot product against it. On amd64
// it needs AVX.
func Loads(a, b []float32) { loads(a, b) }
