package result

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEntropy(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name string
		p    []float32
		want float32
	}{
		{"nothing decided", nil, 0},
		{"one label", []float32{1}, 0},
		{"sure", []float32{0, 1, 0}, 0},
		{"undecided", []float32{0.25, 0.25, 0.25, 0.25}, 1},
		{"between two of four", []float32{0.5, 0, 0.5, 0}, 0.5},
		{"a coin of 3 to 1", []float32{0.25, 0.75}, 0.8112781},
		{"an infinity", []float32{float32(math.Inf(1)), 0}, nan},
		{"not a number", []float32{nan, 1}, nan},
	} {
		got := (&Result{Probabilities: c.p}).Entropy()
		if c.want != c.want {
			require.True(t, got != got, c.name)
			continue
		}
		require.InDelta(t, c.want, got, 1e-7, c.name)
		require.True(t, 0 <= got && got <= 1, c.name)
	}
	thirds := (&Result{Probabilities: []float32{1. / 3, 1. / 3, 1. / 3}}).Entropy()
	require.LessOrEqual(t, thirds, float32(1), "whatever the rounding")
}
