package fusion

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Property 11: every kernel set agrees with the plain Go set within a derived
// bound, because each is within the bound that the oracle derives. The oracle
// begins anew from the engine's values after E1, after every layer of blocks and
// at E3: a bound cannot know how errors cancel, and carried on would prove nothing.
func TestSetsAgree(t *testing.T) {
	before := ragedge.KernelSet()
	t.Cleanup(func() { require.NoError(t, ragedge.Use(before)) })
	var widths []float64
	rapid.Check(t, func(r *rapid.T) {
		s := drawSubject(r, anyConfig)
		w, err := readWeights(&s.config, s.file())
		require.NoError(r, err)
		for _, set := range ragedge.KernelSets() {
			require.NoError(r, ragedge.Use(set))
			within := func(what string, want []num, got []float32) {
				require.Len(r, got, len(want), what)
				for i, w := range want {
					if !(w.e < math.Inf(1)) { // of two norms of one value each, for example
						w.e = math.Inf(1)
					}
					require.InDelta(r, w.v, got[i], w.e, "%s %d with %s", what, i, set)
					if w.v != 0 {
						widths = append(widths, w.e/math.Abs(w.v))
					}
				}
			}
			s.againstOracle(bridge{t, r}, newOracle(s.config, w), within)
		}
	})
	slices.Sort(widths)
	n := len(widths)
	t.Logf("%d values; bounds are %.2g of the value in the middle and %.2g for one in ten", n, widths[n/2], widths[n*9/10])
	require.Less(t, widths[n/2], 1e-3, "bounds this wide prove nothing")
}

// againstOracle hands every stage of the subject to within.
func (s *subject) againstOracle(t testing.TB, o *oracle, within func(what string, want []num, got []float32)) {
	in := s.regions()
	H := o.start(in)
	rows, owner := slices.Concat(H...), []int(nil)
	for m, n := range s.input.rows {
		owner = append(owner, slices.Repeat([]int{m}, n)...)
	}
	values := s.contextualised(t, 0)
	within("H", flat(rows), values)
	layer := len(s.config.blocks()) / max(s.config.Layers, 1)
	for l := range s.config.Layers {
		rows = split(values, s.config.Width)
		for i := range layer {
			o.block(l*layer+i, rows, owner)
		}
		values = s.contextualised(t, l+1)
		within(fmt.Sprintf("H after layer %d", l), flat(rows), values)
	}
	rows = split(values, s.config.Width)
	for m, n := range s.input.rows {
		H[m], rows = rows[:n], rows[n:]
	}
	o.finish(t, H)

	out := fuse(t, s.model(t).NewState(), in)
	var A []num
	for _, a := range o.A {
		A = append(A, flat(a)...)
	}
	within("Z", o.z, out.Z)
	within("logits", o.logits, out.Logits)
	within("probabilities", o.probabilities, out.Probabilities)
	within("A", A, out.Attention)
	within("Ω", flat(o.Omega), out.Region)
	within("share", o.share, out.Share)
}

// split returns the rows of d values.
func split(values []float32, d int) [][]num {
	var rows [][]num
	for row := range slices.Chunk(values, d) {
		rows = append(rows, exacts(row))
	}
	return rows
}

// contextualised returns H [n, d] after that many layers of E2.
func (s *subject) contextualised(t require.TestingT, layers int) []float32 {
	c := s.config
	c.Layers, c.Align, c.Norm = layers, alignIdentity, false
	left := []string{"gate.", "pool.", "head.", "align.", "norm."}
	for i := len(c.blocks()); i < len(s.config.blocks()); i++ {
		left = append(left, fmt.Sprintf("block.%d.", i))
	}
	var all []float32
	for m, n := range s.input.rows {
		if n > 0 {
			all = append(all, s.onlyGated(t, c, m, left...)[:n*c.Width]...)
		}
	}
	return all
}

// bridge is a rapid.T for functions that take a testing.TB.
type bridge struct {
	testing.TB
	t *rapid.T
}

func (b bridge) Errorf(format string, args ...any) { b.t.Errorf(format, args...) }
func (b bridge) FailNow()                          { b.t.FailNow() }
func (b bridge) Helper()                           { b.t.Helper() }
