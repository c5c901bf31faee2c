package train

import (
	"math/rand/v2"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// TestForwardIsTheEngine compares what training computes with what the engine makes of the
// model file, for every config and mask on every kernel set. Both come within the
// tolerance of the golden page for random models, 5e-6 of the largest value and with
// blocks 2e-5, of the exact result; so they differ by twice that at most.
func TestForwardIsTheEngine(t *testing.T) {
	everySet(t, func(t *testing.T) {
		worst := 0.0
		for i, c := range everyConfig() {
			if testing.Short() && i%20 != 0 {
				continue
			}
			random := rand.New(rand.NewPCG(uint64(i), 6))
			parameters := randomParameters(t, c, uint64(i), i%2 == 0)
			model, err := parameters.Model()
			require.NoError(t, err)
			state, p := model.NewState(), newPass(newNetwork(parameters), 1)
			tolerance := 2 * 5e-6
			if c.Layers > 0 {
				tolerance = 2 * 2e-5
			}
			for _, rows := range presence {
				in := randomRegions(random, c, rows)
				enter(p, [][]fusion.Regions{in})
				p.forward()
				want, err := state.Fuse(in)
				require.NoError(t, err)
				z, S := p.pool.z[:len(want.Z)], p.pool.S
				for name, pair := range map[string][2][]float32{
					"z": {z, want.Z}, "logits": {p.head.logits, want.Logits},
					"attention": {p.gate.a[:len(want.Attention)], want.Attention},
				} {
					if len(pair[1]) == 0 {
						continue
					}
					off := deviation(pair[0][:len(pair[1])], pair[1]) / largest(pair[1])
					worst = max(worst, off/tolerance)
					require.LessOrEqual(t, off, tolerance, "%s of %s with rows %v", name, configName(c), rows)
				}
				for r := range want.Slots {
					for s := range S {
						if c.Pool == "none" {
							continue
						}
						require.InDelta(t, want.Region[r*S+s], p.pool.omega[s*want.Slots+r], tolerance, configName(c))
					}
				}
			}
		}
		t.Logf("the largest difference is %.2g of what is allowed", worst)
	})
}
