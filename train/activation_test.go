package train

import (
	"math"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/stretchr/testify/require"
)

// TestGeluSlope compares with Φ(x) + x φ(x) in float64, from the smallest values to where
// squares overflow.
func TestGeluSlope(t *testing.T) {
	everySet(t, func(t *testing.T) {
		x := []float32{0, 1e-45, -1e-45, 1e-31, 1e-29, -1e-20, 1e20, -1e20, 3e38, -3e38, float32(math.Copysign(0, -1))}
		for v := -16.0; v < 16; v += 1.0 / 64 {
			x = append(x, float32(v))
		}
		y, dy := make([]float32, len(x)), make([]float32, len(x))
		ragedge.Gelu(y, x)
		fill(dy, 2)
		geluBackward(dy, x, y, make([]float32, 2*len(x)))
		for i, v := range doubles(x) {
			want := math.Erfc(-v/math.Sqrt2)/2 + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
			require.InDelta(t, 2*want, dy[i], 4e-6, "at %v", v)
		}
	})
}
