package fusion

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/kernel"
)

// TestEverySetWithinItsBound holds random models of every kind, on every kernel
// set, against the oracle: each value within the bound that the analysis of
// rounding errors gives for it. Two sets therefore differ by twice that at most.
func TestEverySetWithinItsBound(t *testing.T) {
	everySet(t, func(t *testing.T) {
		used, widths := 0.0, []float64(nil)
		for i, c := range everyConfig() {
			if testing.Short() && i%4 > 0 {
				continue
			}
			t.Run(configName(c), func(t *testing.T) {
				for k, prefixes := range [][]string{everything, {"input.a", "modality.b"}, {"align.key"}, {"align.query", "position"}} {
					save(t, []saving{saveAlways, saveNever}[(i+k)%2], saveNever)
					in := randomRows(uint64(k), c, presence[(i+k)%len(presence)]...)
					off, w := againstOracle(t, uint64(i), c, in, prefixes...)
					used, widths = max(used, off), append(widths, w...)
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

// TestBands has more rows, slots and keys than are worked on at a time, by one and by
// several bands.
func TestBands(t *testing.T) {
	band := kernel.QueryBlock(kernel.KeyBlock)
	save(t, saveNever, saveNever)
	everySet(t, func(t *testing.T) {
		turn := 0
		for i, strategy := range []string{strategySelf, strategyCo, strategyHybrid} {
			for _, score := range []string{scoreDot, scoreHadamard} {
				for _, align := range []string{alignSlots, alignAnchor} {
					if turn++; testing.Short() && turn%5 != 2 { // one of each strategy
						continue
					}
					c := baseConfig(Modality{"a", band + 1, 3}, Modality{"b", kernel.KeyBlock + 3, 2}, Modality{"c", band, 2})
					c.Strategy, c.Layers, c.Heads, c.Align, c.Slots, c.Score = strategy, 1, 2, align, 2*band+3, score
					in := randomRows(uint64(i), c, band+1, kernel.KeyBlock+3, band)
					_, widths := againstOracle(t, uint64(i), c, in, everything...)
					slices.Sort(widths)
					require.Less(t, widths[len(widths)/2], 1e-2, "bounds this wide prove nothing")
				}
			}
		}
	})
}

// save makes savings, or not, until the test is over.
func save(t testing.TB, absorb, keep saving) {
	was := [...]saving{absorbing, keeping}
	t.Cleanup(func() { absorbing, keeping = was[0], was[1] })
	absorbing, keeping = absorb, keep
}

// againstOracle fuses the input with a random model. It returns the largest error
// as a part of its bound, and the bounds of all outputs as parts of their values.
func againstOracle(t *testing.T, seed uint64, c Config, in []Regions, prefixes ...string) (used float64, widths []float64) {
	file := modelFile(c, randomTensors(rand.New(rand.NewPCG(seed, 1)), c, prefixes...))
	w, err := readWeights(&c, file)
	require.NoError(t, err)
	s, o := parseModel(t, file).NewState(), newOracle(c, w)
	H := o.start(in)
	if c.Layers > 0 {
		H, used = throughBlocks(t, o, s, in, H)
	}
	o.finish(t, H)
	out := fuse(t, s, in)
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
	return used, widths
}

// throughBlocks holds E1 and every block of E2 against the oracle and returns
// what E3 begins with. The oracle of each block begins with the values that the
// engine computed: bounds carried through several blocks would prove nothing,
// because a bound cannot know how errors cancel.
func throughBlocks(t *testing.T, o *oracle, s *State, in []Regions, H [][][]num) (next [][][]num, used float64) {
	d := o.c.Width
	rows := func() (all [][]num) {
		for h := s.all.of(s.stack, d); len(h) > 0; h = h[d:] {
			all = append(all, exacts(h[:d]))
		}
		return all
	}
	require.NoError(t, s.accept(in))
	s.project(in)
	var owner []int
	var want [][]num
	for m := range H {
		want = append(want, H[m]...)
		owner = append(owner, slices.Repeat([]int{m}, len(H[m]))...)
	}
	used = withinBounds(t, "h", s.all.of(s.stack, d), flat(want))
	for i := range s.model.blocks {
		want = rows()
		o.block(i, want, owner)
		s.block(&s.model.blocks[i])
		used = max(used, withinBounds(t, "h", s.all.of(s.stack, d), flat(want)))
	}
	next = make([][][]num, len(H))
	for i, row := range rows() {
		next[owner[i]] = append(next[owner[i]], row)
	}
	return next, used
}

// withinBounds returns the largest error as a part of its bound.
func withinBounds(t *testing.T, name string, got []float32, want []num) float64 {
	require.Len(t, got, len(want), name)
	used := 0.0
	for i, w := range want {
		off := float64(got[i]) - w.v
		require.False(t, math.IsInf(w.e, 1), "%s %d has no bound", name, i)
		require.LessOrEqual(t, max(off, -off), w.e, "%s %d is %v, want %v", name, i, got[i], w.v)
		if w.e > 0 {
			used = max(used, max(off, -off)/w.e)
		}
	}
	return used
}
