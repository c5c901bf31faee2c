package fusion

// arena hands out the parts of one slice. Without the slice it only counts, so
// that the same code measures a State and lays it out.
type arena struct {
	values []float32
	used   int64
	most   int64 // the largest used has been
}

const (
	// line is a cache line in float32 values: no two parts share one.
	line = 16
	// absurd stops a product of sizes well before it overflows; no State is near it.
	absurd = 1 << 34
)

// take returns the next part: as many values as the product of the sizes, nil
// while counting. It is not inlined: it is called in dozens of places, once for each
// State.
//
//go:noinline
func (a *arena) take(sizes ...int) []float32 {
	n := int64(1)
	for _, size := range sizes {
		n = min(n*int64(size), absurd)
	}
	first := a.used
	a.used += (n + line - 1) / line * line
	a.most = max(a.most, a.used)
	if a.values == nil {
		return nil
	}
	return a.values[first : first+n : first+n]
}
