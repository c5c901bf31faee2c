package kernel

// Relu writes the larger of x[i] and 0 to dst[i], over the shorter of dst and x.
// The rest of dst is left alone. It is exact.
//
// Infinity and NaN: −0 and −Inf give +0, +Inf gives +Inf. A NaN gives NaN in its
// place only.
//
// Aliasing: dst may be x itself. Any other overlap is not allowed.
func Relu(dst, x []float32) {
	n := min(len(dst), len(x))
	dst = dst[:n]
	for i, v := range x[:n] {
		dst[i] = max(v, 0)
	}
}
