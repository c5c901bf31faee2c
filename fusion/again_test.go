package fusion

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFuseAgainKeepsTheBits takes every modality away in turn. Each result must have
// the bits of a State that knows nothing; so must the next input as a whole.
func TestFuseAgainKeepsTheBits(t *testing.T) {
	for i, c := range everyConfig() {
		if testing.Short() && i%5 > 0 {
			continue
		}
		save(t, saveWherePaid, saveAlways)
		m := randomModel(t, uint64(i), c, everything...)
		s := m.NewState()
		save(t, saveWherePaid, saveNever)
		for turn := range 3 {
			in := randomRows(uint64(10*i+turn), c, presence[0]...)
			require.Equal(t, outcome(fuse(t, m.NewState(), in)), outcome(fuse(t, s, in)), "%s, turn %d", configName(c), turn)
			for away := range in {
				masked := append([]Regions(nil), in...)
				masked[away] = Regions{}
				want, refused := m.NewState().Fuse(masked)
				got, err := s.FuseAgain(masked)
				require.Equal(t, refused, err, "%s without %d", configName(c), away)
				if err == nil {
					require.Equal(t, outcome(want), outcome(got), "%s without %d", configName(c), away)
				}
			}
		}
	}
}

// TestFuseAgainComputesNoRowsAgain changes what a State keeps of them: that shows.
func TestFuseAgainComputesNoRowsAgain(t *testing.T) {
	save(t, saveWherePaid, saveAlways)
	for _, strategy := range []string{strategyGate, strategyHybrid} {
		c := baseConfig(Modality{"a", 4, 30}, Modality{"b", 5, 2})
		c.Align = alignResample
		if c.Strategy = strategy; strategy == strategyHybrid {
			c.Layers = 1
		}
		s := randomModel(t, 5, c).NewState()
		in := randomRows(5, c, 4, 5)
		fuse(t, s, in)
		in[1] = Regions{}
		again := func() string {
			out, err := s.FuseAgain(in)
			require.NoError(t, err)
			return outcome(out)
		}
		want := again()
		s.settled(0).row(0, c.Width)[0] += 1
		require.NotEqual(t, want, again(), strategy)
		require.Zero(t, testing.AllocsPerRun(10, func() { _, _ = s.FuseAgain(in) }))
	}
}

// BenchmarkFuseAgain is what the influence of each modality costs beside the answer,
// on text and an image that are new every time.
func BenchmarkFuseAgain(b *testing.B) {
	for _, v := range []struct {
		name  string
		again func(*State, []Regions) (*Output, error)
	}{
		{"the answer alone", nil},
		{"with Fuse", (*State).Fuse},
		{"with FuseAgain", (*State).FuseAgain},
	} {
		b.Run(v.name, func(b *testing.B) {
			c := twoImages()
			c.Align = alignSlots
			c.Slots = 16
			s := randomModel(b, 1, c).NewState()
			in := randomRows(1, c, 128, 197)
			masked := make([]Regions, 2)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				in[0].Data[0], in[1].Data[0] = float32(i%7), float32(i%7)
				_, err := s.Fuse(in)
				for m := range in {
					if v.again == nil {
						break
					}
					copy(masked, in)
					masked[m] = Regions{}
					if _, e := v.again(s, masked); e != nil {
						err = e
					}
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
