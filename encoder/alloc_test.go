package encoder

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vibration is eight channels at 100 Hz over the last 30 s, in slices of 1 s.
func vibration(functions []string, baseline time.Duration) Definition {
	return Definition{
		Encoder: Windowed, Channels: []string{"a", "b", "c", "d", "e", "f", "g", "h"},
		Regions: 30, Every: Duration(sec), Functions: functions, Fill: FillHold, StaleAfter: Duration(sec),
		Baseline: baseline > 0, BaselineWindow: Duration(baseline),
	}
}

// feeder adds samples to a window at 100 Hz, and asks for the regions.
type feeder struct {
	w   *Window
	d   Definition
	dst []float32
	n   int
}

func newFeeder(t testing.TB, d Definition) *feeder {
	w, err := NewWindow(d)
	require.NoError(t, err)
	f := &feeder{w: w, d: d, dst: make([]float32, d.Regions*d.Width())}
	f.add(100 * 70) // the window, a baseline of 30 s, and the ring's last growth
	f.regions()
	return f
}

func (f *feeder) now() time.Duration { return time.Duration(f.n) * 10 * time.Millisecond }

func (f *feeder) add(ticks int) {
	for range ticks {
		f.n++
		for i, name := range f.d.Channels {
			f.w.Add(Sample{name, f.now(), math.Sin(float64(f.n*(i+1)) / 17)})
		}
	}
}

func (f *feeder) regions() int {
	rows, _ := f.w.Regions(f.now(), f.dst)
	return rows
}

func TestWindowAllocatesNothingInSteadyState(t *testing.T) {
	for _, baseline := range []time.Duration{0, 30 * sec} {
		f := newFeeder(t, vibration(allFunctions, baseline))
		rows := 0
		allocs := testing.AllocsPerRun(3, func() {
			f.add(100)
			f.w.Add(Sample{"a", f.now() - 5*sec, 1}) // out of order
			f.w.Add(Sample{"x", f.now(), 1})
			rows = f.regions()
		})
		require.Zero(t, allocs)
		require.Equal(t, 30, rows)
		require.Zero(t, f.w.Dropped())
	}
}

func BenchmarkAdd(b *testing.B) {
	for name, baseline := range map[string]time.Duration{"plain": 0, "baseline of 30 s": 30 * sec} {
		b.Run(name, func(b *testing.B) {
			f := newFeeder(b, vibration([]string{"last"}, baseline))
			b.ReportAllocs()
			for b.Loop() {
				f.add(100)
				f.w.Regions(f.now(), f.dst[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100*8), "ns/sample")
		})
	}
}

func BenchmarkRegions(b *testing.B) {
	room := Definition{
		Encoder: Windowed, Channels: []string{"a", "b", "c", "d"}, Regions: 8, Every: Duration(sec / 100),
		Functions: []string{"last"}, Fill: FillHold, StaleAfter: Duration(sec),
	}
	for name, d := range map[string]Definition{
		"room":                     room,
		"vibration mean std range": vibration([]string{"mean", "std", "range"}, 0),
		"vibration all":            vibration(allFunctions, 0),
	} {
		b.Run(name, func(b *testing.B) {
			f := newFeeder(b, d)
			b.ReportAllocs()
			for b.Loop() {
				f.regions()
			}
		})
	}
}
