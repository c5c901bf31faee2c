package fusion

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEverySetWithinItsBound holds random models of every kind, on every kernel
// set, against the oracle: each value within the bound that the analysis of
// rounding errors gives for it. Two sets therefore differ by twice that at most.
func TestEverySetWithinItsBound(t *testing.T) {
	everySet(t, func(t *testing.T) {
		used, widths := 0.0, []float64(nil)
		for i, c := range everyConfig() {
			t.Run(configName(c), func(t *testing.T) {
				for k, prefixes := range [][]string{everything, {"input.a", "modality.b"}, {"align.key"}, {"align.query", "position"}} {
					tensors := randomTensors(rand.New(rand.NewPCG(uint64(i), 1)), c, prefixes...)
					file := modelFile(c, tensors)
					m := parseModel(t, file)
					weights, err := readWeights(&c, file)
					require.NoError(t, err)
					s := m.NewState()
					in := randomRows(uint64(k), c, presence[(i+k)%len(presence)]...)
					out := fuse(t, s, in)
					o := newOracle(t, m, weights, in)
					require.Equal(t, len(o.U), out.Slots)
					var A []num
					for _, a := range o.A {
						A = append(A, flat(a)...)
					}
					for name, pair := range map[string]struct {
						got  []float32
						want []num
					}{
						"z": {out.Z, o.z}, "logits": {out.Logits, o.logits}, "probabilities": {out.Probabilities, o.probabilities},
						"attention": {out.Attention, A}, "region": {out.Region, flat(o.Omega)}, "share": {out.Share, o.share},
					} {
						used = max(used, withinBounds(t, name, pair.got, pair.want))
						for _, w := range pair.want {
							if w.v != 0 {
								widths = append(widths, w.e/math.Abs(w.v))
							}
						}
					}
				}
			})
		}
		slices.Sort(widths)
		n := len(widths)
		t.Logf("%d values; bounds are %.2g of the value in the middle and %.2g for one in a hundred; the largest error is %.2g of its bound",
			n, widths[n/2], widths[n*99/100], used)
		require.Greater(t, n, 10000)
		require.Less(t, widths[n/2], 1e-3, "bounds this wide prove nothing")
	})
}

// withinBounds returns the largest error as a part of its bound.
func withinBounds(t *testing.T, name string, got []float32, want []num) float64 {
	require.Len(t, got, len(want), name)
	used := 0.0
	for i, w := range want {
		off := float64(got[i]) - w.v
		require.LessOrEqual(t, max(off, -off), w.e, "%s %d is %v, want %v", name, i, got[i], w.v)
		if w.e > 0 {
			used = max(used, max(off, -off)/w.e)
		}
	}
	return used
}
