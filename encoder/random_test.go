package encoder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var allFunctions = []string{
	"last", "mean", "min", "max", "range", "median", "std", "slope", "rms", "count", "crossings",
	"energy:0-0.31Hz", "energy:0.31-2.17Hz",
}

// stream is a random definition with samples for it and the times at which to
// look.
type stream struct {
	definition Definition
	samples    []Sample
	ticks      []time.Duration
}

func randomStream(r *rand.Rand) stream {
	d := Definition{
		Encoder:    Windowed,
		Regions:    1 + r.IntN(6),
		Every:      Duration(time.Duration(1+r.IntN(20)) * 500 * time.Millisecond),
		Fill:       []string{FillNone, FillHold}[r.IntN(2)],
		StaleAfter: Duration(time.Duration(1+r.IntN(40)) * time.Second),
		Baseline:   r.IntN(2) == 0,
	}
	if d.Fill == FillNone && r.IntN(2) == 0 {
		d.StaleAfter = 0
	}
	if d.Baseline {
		d.BaselineWindow = Duration(time.Duration(1+r.IntN(60)) * time.Second)
	}
	for _, i := range r.Perm(len(allFunctions))[:1+r.IntN(len(allFunctions))] {
		d.Functions = append(d.Functions, allFunctions[i])
	}
	var s stream
	for i := range 1 + r.IntN(3) {
		name := fmt.Sprintf("c%d", i)
		d.Channels = append(d.Channels, name)
		// Whole and half steps make samples meet each other and the edges of
		// slices; values on a coarse grid make ties and exact means.
		step := time.Duration(1+r.IntN(6)) * 250 * time.Millisecond
		gap, at := r.Float64(), time.Duration(r.IntN(5))*time.Second
		for range 120 {
			at += step
			switch {
			case r.Float64() < 0.2*gap:
				at += time.Duration(r.IntN(30)) * time.Second
			case r.Float64() < 0.1:
				at -= step
			case r.Float64() < 0.1:
				at += time.Duration(r.IntN(int(step)))
			}
			s.samples = append(s.samples, Sample{name, at, float64(r.IntN(9)-4) * 0.5})
		}
	}
	slices.SortStableFunc(s.samples, func(a, b Sample) int { return int(a.At/time.Second) - int(b.At/time.Second) })
	for at := time.Duration(0); at < 70*time.Second; at += time.Duration(1+r.IntN(16)) * 250 * time.Millisecond {
		s.ticks = append(s.ticks, at)
	}
	s.definition = d
	return s
}

// play feeds a window as a live pipeline would, some samples late by up to late
// places, and calls look at every tick with the samples added so far.
func (s stream) play(t *testing.T, r *rand.Rand, late int, look func(at time.Duration, added []Sample, rows int, age time.Duration, dst []float32)) {
	t.Helper()
	w, err := NewWindow(s.definition)
	require.NoError(t, err)
	feed := slices.Clone(s.samples)
	for i := range feed {
		if late > 0 && r.IntN(4) == 0 {
			j := min(len(feed)-1, i+r.IntN(late))
			feed[i], feed[j] = feed[j], feed[i]
		}
	}
	dst := make([]float32, s.definition.Regions*s.definition.Width())
	next := 0
	for _, at := range s.ticks {
		for next < len(feed) && feed[next].At <= at+time.Second {
			require.True(t, w.Add(feed[next]))
			next++
		}
		rows, age := w.Regions(at, dst)
		look(at, feed[:next], rows, age, dst)
	}
	require.Zero(t, w.Dropped())
}

// Every function is compared at a bound for its own arithmetic: the window and
// the reference add in different orders and use different formulas.
func TestWindowAgainstReference(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	compared, runs, least := 0, 150, 50_000
	if testing.Short() {
		runs, least = 40, 5_000
	}
	for run := range runs {
		s := randomStream(r)
		s.play(t, r, run%8, func(at time.Duration, added []Sample, rows int, age time.Duration, dst []float32) {
			want, wantAge := referenceRegions(s.definition, added, at)
			require.Equal(t, wantAge, age, "%+v at %v", s.definition, at)
			require.Len(t, want, rows, "%+v at %v", s.definition, at)
			for k, row := range want {
				for j, v := range row {
					got := dst[k*len(row)+j]
					name := s.definition.Functions[j%len(s.definition.Functions)]
					require.InDelta(t, v, got, 1e-6*(1+math.Abs(v)), "%s of row %d at %v of %+v", name, k, at, s.definition)
					compared++
				}
			}
		})
	}
	require.Greater(t, compared, least)
}

func TestShiftOfAllTimesChangesNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		s := randomStream(r)
		var want []float32
		s.play(t, r, 0, func(_ time.Duration, _ []Sample, rows int, age time.Duration, dst []float32) {
			want = append(append(want, float32(rows), float32(age)), dst[:rows*s.definition.Width()]...)
		})
		shift := time.Duration(r.Int64N(1<<60) - 1<<59)
		for i := range s.samples {
			s.samples[i].At += shift
		}
		for i := range s.ticks {
			s.ticks[i] += shift
		}
		var got []float32
		s.play(t, r, 0, func(_ time.Duration, _ []Sample, rows int, age time.Duration, dst []float32) {
			got = append(append(got, float32(rows), float32(age)), dst[:rows*s.definition.Width()]...)
		})
		require.Equal(t, want, got, "shift %v", shift)
	}
}
