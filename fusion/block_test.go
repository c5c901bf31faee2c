package fusion

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Under one_way the other modalities never depend on the anchor, and a row with
// nobody to attend to is what its block makes of it alone.
func TestOneWay(t *testing.T) {
	tried := 0
	for i, c := range everyBlock() {
		if !c.OneWay || c.Align == alignAnchor {
			continue
		}
		tried++
		s := randomModel(t, uint64(i), c, everything...).NewState()
		others := func(in []Regions) []float32 {
			fuse(t, s, in)
			return slices.Concat(s.rowsOf(1), s.rowsOf(2))
		}
		in := randomRows(uint64(i), c, 4, 5, 3)
		want := others(in)
		in[0] = randomRows(99, c, 3, 0, 0)[0]
		require.Equal(t, want, others(in), "another anchor")
		in[0] = Regions{}
		require.Equal(t, want, others(in), "no anchor")
	}
	require.Equal(t, 2*3*4, tried)
}

// Rows of a block see each other as its kind allows: a change of one modality
// reaches exactly those rows of the others that may look at it.
func TestWhoSeesWhom(t *testing.T) {
	for _, test := range []struct {
		strategy string
		oneWay   bool
		seen     [3]bool // modalities that depend on b
	}{
		{"self", false, [3]bool{true, true, true}},
		{"co", false, [3]bool{true, true, true}}, // its own rows by way of the residual
		{"co", true, [3]bool{true, true, false}},
		{"hybrid", false, [3]bool{true, true, true}},
		{"hybrid", true, [3]bool{true, true, false}},
	} {
		c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2}, Modality{"c", 3, 7})
		c.Strategy, c.OneWay, c.Layers, c.Heads = test.strategy, test.oneWay, 1, 2
		s := randomModel(t, 1, c).NewState()
		in := randomRows(1, c, 4, 5, 3)
		parts := func() (all [3][]float32) {
			fuse(t, s, in)
			for m := range all {
				all[m] = slices.Clone(s.rowsOf(m))
			}
			return all
		}
		before := parts()
		in[1].Data[9]++
		after := parts()
		for m, seen := range test.seen {
			require.Equal(t, seen, !slices.Equal(before[m], after[m]), "%s %v: modality %d", test.strategy, test.oneWay, m)
		}
	}
}

// blockConfigs are the shapes of a small block and of a middling one.
var blockConfigs = []Config{blockConfig(51, 32, 64), blockConfig(325, 256, 512)}

func blockConfig(rows, d, ffn int) Config {
	c := baseConfig(Modality{"a", rows, d})
	c.Width, c.Strategy, c.Layers, c.Heads, c.FFN = d, strategySelf, 1, 4, ffn
	c.Projection = projectNone
	return c
}

// BenchmarkBlocks times E2 alone.
func BenchmarkBlocks(b *testing.B) {
	for _, c := range blockConfigs {
		rows, d := c.Modalities[0].Regions, c.Width
		b.Run(fmt.Sprintf("%dx%d", rows, d), func(b *testing.B) {
			s := randomModel(b, 1, c).NewState()
			in := randomRows(1, c, rows)
			if _, err := s.Fuse(in); err != nil {
				b.Fatal(err)
			}
			flops := 2 * rows * (4*d*d + 2*rows*d + 2*d*c.FFN)
			b.ReportAllocs()
			for b.Loop() {
				copy(s.stack, in[0].Data)
				s.contextualise()
			}
			b.ReportMetric(float64(flops)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
