package kernel

// Dot returns Σ a[i]·b[i] over the shorter of a and b; nothing sums to 0.
//
// Order: one accumulator, from the first index up. Assembly may use more
// accumulators in a fixed tree, and may fuse a product with its addition.
//
// Error: every implementation is within DotBound of the exact sum.
//
// Infinity and NaN: as IEEE 754 adds them. When Σ|a[i]·b[i]| passes the largest
// float32, it depends on the order whether finite input gives an infinity or NaN.
//
// Aliasing: a and b are only read and may overlap.
func Dot(a, b []float32) float32 {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	var sum float32
	for i, v := range a {
		sum += float32(v * b[i])
	}
	return sum
}
