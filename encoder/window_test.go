package encoder

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const sec = time.Second

// at returns samples of one channel whose value is their time in seconds.
func at(channel string, times ...float64) []Sample {
	var s []Sample
	for _, t := range times {
		s = append(s, Sample{channel, time.Duration(t * float64(sec)), t})
	}
	return s
}

func join(parts ...[]Sample) (all []Sample) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Three slices of 10 s at T = 100 s: (90, 100], (80, 90], (70, 80].
func TestWindowRows(t *testing.T) {
	one := Definition{Encoder: Windowed, Channels: []string{"a"}, Regions: 3, Every: Duration(10 * sec), Functions: []string{"last"}}
	two := one
	two.Channels = []string{"a", "b"}
	counts := one
	counts.Functions = []string{"count", "last"}
	hold := func(d Definition, stale time.Duration) Definition {
		d.Fill, d.StaleAfter = FillHold, Duration(stale)
		return d
	}
	stale := func(d Definition, after time.Duration) Definition {
		d.StaleAfter = Duration(after)
		return d
	}
	for _, c := range []struct {
		name    string
		d       Definition
		samples []Sample
		age     time.Duration
		want    []float32
	}{
		{"nothing", one, nil, -1, nil},
		{"row 0 is the newest slice", one, at("a", 75, 85, 95), 5 * sec, []float32{95, 85, 75}},
		{"a slice begins after its start", one, at("a", 70, 80, 90), 10 * sec, nil},
		{"and ends with its end", one, at("a", 80, 90, 100), 0, []float32{100, 90, 80}},
		{"one nanosecond after the start is in", one, append(at("a", 95), Sample{"a", 80*sec + 1, 8}), 5 * sec, []float32{95, 8}},
		{"samples after T do not count", one, at("a", 95, 100.5), 5 * sec, []float32{95}},
		{"nothing but samples after T", one, at("a", 101), -1, nil},
		{"rows end at the first empty slice", one, at("a", 75, 95), 5 * sec, []float32{95}},
		{"an empty newest slice is no row", one, at("a", 75, 85), 15 * sec, nil},
		{"out of order", one, at("a", 95, 75, 93, 85), 5 * sec, []float32{95, 85, 75}},
		{"of one moment the later to come is last", one, []Sample{{"a", 95 * sec, 1}, {"a", 95 * sec, 2}}, 5 * sec, []float32{2}},
		{"of one moment all count", counts, []Sample{{"a", 95 * sec, 1}, {"a", 95 * sec, 2}}, 5 * sec, []float32{2, 2}},

		{"every channel is needed", two, at("a", 75, 85, 95), -1, nil},
		{"every channel is needed in every slice", two, join(at("a", 75, 85, 95), at("b", 76, 96)), 5 * sec, []float32{95, 96}},
		{"the shorter channel ends the rows", two, join(at("a", 95), at("b", 76, 86, 96)), 5 * sec, []float32{95, 96}},
		{"as old as the oldest channel", two, join(at("a", 95), at("b", 86)), 14 * sec, nil},
		{"channels one after the other", func() Definition { d := two; d.Functions = []string{"min", "max"}; return d }(),
			join(at("b", 92, 96), at("a", 91, 95)), 5 * sec, []float32{91, 95, 92, 96}},

		{"hold into the newest slice", hold(one, 30*sec), at("a", 75, 85), 15 * sec, []float32{85, 85, 75}},
		{"hold into a gap", hold(one, 30*sec), at("a", 75, 95), 5 * sec, []float32{95, 75, 75}},
		{"hold from before the oldest slice", hold(one, 30*sec), at("a", 55, 95), 5 * sec, []float32{95, 0, 55}[:1]},
		{"held exactly as long as stale_after", hold(one, 30*sec), at("a", 60, 95), 5 * sec, []float32{95, 60, 60}},
		{"and not one nanosecond longer", hold(one, 30*sec), append(at("a", 95), Sample{"a", 60*sec - 1, 6}), 5 * sec, []float32{95}},
		{"held by slice, not by T", hold(one, 10*sec), at("a", 70, 95), 5 * sec, []float32{95}},
		{"held within an old slice", hold(one, 10*sec), at("a", 70, 85, 95), 5 * sec, []float32{95, 85, 70}},
		{"a held sample has count 0", hold(counts, 30*sec), at("a", 85, 89, 95), 5 * sec, []float32{1, 95, 2, 89}},
		{"a held sample has count 0 in an old slice", hold(counts, 30*sec), at("a", 85, 79), 15 * sec, []float32{0, 85, 1, 85, 1, 79}},
		{"hold per channel", hold(two, 30*sec), join(at("a", 95, 85, 75), at("b", 76)), 24 * sec, []float32{95, 76, 85, 76, 75, 76}},
		{"nothing to hold before the first sample", hold(one, 90*sec), at("a", 85), 15 * sec, []float32{85, 85}},
		{"hold takes no sample after T", hold(one, 90*sec), at("a", 85, 101), 15 * sec, []float32{85, 85}},

		{"stale", hold(one, 14*sec), at("a", 75, 85), 15 * sec, nil},
		{"not stale at the limit", hold(one, 15*sec), at("a", 75, 85), 15 * sec, []float32{85, 85, 75}},
		{"stale without hold", stale(one, 4*sec), at("a", 75, 85, 95), 5 * sec, nil},
		{"not stale without hold", stale(one, 5*sec), at("a", 75, 85, 95), 5 * sec, []float32{95, 85, 75}},
		{"one stale channel is enough", hold(two, 14*sec), join(at("a", 95), at("b", 85)), 15 * sec, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := NewWindow(c.d)
			require.NoError(t, err)
			for _, s := range c.samples {
				require.True(t, w.Add(s))
			}
			dst := make([]float32, c.d.Regions*c.d.Width())
			rows, age := w.Regions(100*sec, dst)
			require.Equal(t, c.age, age)
			require.Equal(t, len(c.want)/c.d.Width(), rows)
			require.Equal(t, c.want, append([]float32(nil), dst[:rows*c.d.Width()]...))
			again, _ := w.Regions(100*sec, dst)
			require.Equal(t, rows, again, "asking twice changes nothing")
		})
	}
}

func TestBaseline(t *testing.T) {
	d := Definition{
		Encoder: Windowed, Channels: []string{"a"}, Regions: 4, Every: Duration(sec), Functions: []string{"last"},
		Baseline: true, BaselineWindow: Duration(3 * sec), Fill: FillHold, StaleAfter: Duration(10 * sec),
	}
	w, err := NewWindow(d)
	require.NoError(t, err)
	// Windows of three: {1} {1,5} {1,5,2} {5,2,8}, then {8,4} after a gap.
	for _, s := range []Sample{{"a", 1 * sec, 1}, {"a", 2 * sec, 5}, {"a", 3 * sec, 2}, {"a", 4 * sec, 8}} {
		w.Add(s)
	}
	dst := make([]float32, 4)
	rows, _ := w.Regions(4*sec, dst)
	require.Equal(t, 4, rows)
	require.Equal(t, []float32{3, 0, 2, 0}, dst)
	w.Add(Sample{"a", 6 * sec, 4})
	rows, _ = w.Regions(6*sec, dst)
	require.Equal(t, 4, rows)
	require.Equal(t, []float32{-2, 3, 3, 0}, dst, "the held sample keeps the baseline of its own time")
	// A late sample changes what comes after it: {1,5,7,2} {5,7,2,8} {8,4}.
	w.Add(Sample{"a", 2*sec + 1, 7})
	w.Regions(6*sec, dst)
	require.Equal(t, []float32{-2, 2, 2, -1.5}, dst)
}

// TestBaselineOfLateSamples: many samples out of order, as a sender sends them that was
// cut off, cost one computation of what they change and not one each.
func TestBaselineOfLateSamples(t *testing.T) {
	const n = 200
	d := Definition{
		Encoder: Windowed, Channels: []string{"a"}, Regions: n, Every: Duration(sec), Functions: []string{"last"},
		Baseline: true, BaselineWindow: Duration(n / 4 * sec),
	}
	sample := func(i int) Sample { return Sample{"a", time.Duration(i) * sec, float64(i * 37 % 101)} }
	regions := func(order ...int) []float32 {
		w, err := NewWindow(d)
		require.NoError(t, err)
		for _, i := range order {
			w.Add(sample(i))
		}
		late := 0
		if !slices.IsSorted(order) {
			late = slices.Max(order) - slices.Min(order[n/2:]) + 1
		}
		require.Equal(t, late, w.channels[0].baseline.behind)
		dst := make([]float32, n)
		rows, _ := w.Regions(n*sec, dst)
		require.Equal(t, n, rows)
		require.Zero(t, w.channels[0].baseline.behind)
		w.Add(sample(n + 1))
		require.Zero(t, w.channels[0].baseline.behind, "the next one in order is computed at once")
		again := make([]float32, n)
		w.Regions((n+1)*sec, again)
		require.Equal(t, dst[:n-1], again[1:])
		return append(dst, again[0])
	}
	var all, backlog, backwards []int
	for i := range n {
		all = append(all, i+1)
		backlog = append(backlog, (i+n/2)%n+1)
		backwards = append(backwards, n-i)
	}
	want := regions(all...)
	require.Equal(t, want, regions(backlog...))
	require.Equal(t, want, regions(append([]int{1}, backwards[:n-1]...)...))
}

func TestAddReportsForeignChannels(t *testing.T) {
	w, err := NewWindow(Definition{Encoder: Windowed, Channels: []string{"a"}, Regions: 1, Every: Duration(sec), Functions: []string{"last"}})
	require.NoError(t, err)
	require.True(t, w.Add(Sample{"a", 0, 1}))
	require.False(t, w.Add(Sample{"A", 0, 1}))
	require.False(t, w.Add(Sample{"", 0, 1}))
}

func TestRegionsWriteNoMoreThanFits(t *testing.T) {
	d := Definition{Encoder: Windowed, Channels: []string{"a", "b"}, Regions: 3, Every: Duration(sec), Functions: []string{"last"}}
	for room := range 8 {
		w, err := NewWindow(d)
		require.NoError(t, err)
		for _, s := range join(at("a", 1, 2, 3), at("b", 1, 2, 3)) {
			w.Add(s)
		}
		dst := make([]float32, room, 8)
		rows, age := w.Regions(3*sec, dst)
		require.Equal(t, min(3, room/2), rows)
		require.Zero(t, age)
		require.Equal(t, make([]float32, 8-room), dst[room:8])
	}
}

func TestWindowForgets(t *testing.T) {
	d := Definition{
		Encoder: Windowed, Channels: []string{"a"}, Regions: 3, Every: Duration(10 * sec), Functions: []string{"last"},
		Fill: FillHold, StaleAfter: Duration(20 * sec),
	}
	w, err := NewWindow(d)
	require.NoError(t, err)
	dst := make([]float32, 3)
	kept := 0
	for i := range 10_000 {
		w.Add(Sample{"a", time.Duration(i) * sec, 1})
		w.Regions(time.Duration(i)*sec, dst)
		kept = max(kept, w.channels[0].n)
	}
	require.Equal(t, 51, kept, "three slices, and what could be held into the oldest")
	require.Len(t, w.channels[0].ring, 64)

	// Long silence: the newest sample stays, it says how old the channel is.
	rows, age := w.Regions(1_000_000*sec, dst)
	require.Zero(t, rows)
	require.Equal(t, (1_000_000-9_999)*sec, age)
	require.Equal(t, 1, w.channels[0].n)

	// A sample that is too old on arrival is not kept once there is a newer one,
	// but a newer one of the past is what the age counts from.
	require.True(t, w.Add(Sample{"a", 9_998 * sec, 1}))
	require.Equal(t, 1, w.channels[0].n)
	require.True(t, w.Add(Sample{"a", 10_009 * sec, 1}))
	_, age = w.Regions(1_000_000*sec, dst)
	require.Equal(t, (1_000_000-10_009)*sec, age)
	require.Equal(t, 1, w.channels[0].n)
	require.Zero(t, w.Dropped())
}

func TestWindowIsBounded(t *testing.T) {
	for _, baseline := range []bool{false, true} {
		d := Definition{
			Encoder: Windowed, Channels: []string{"a"}, Regions: 1, Every: Duration(24 * time.Hour),
			Functions: []string{"count", "min", "max"}, Baseline: baseline,
		}
		w, err := NewWindow(d)
		require.NoError(t, err)
		const extra = 1000
		for i := range maxSamples + extra {
			w.Add(Sample{"a", time.Duration(i+1) * time.Millisecond, float64(i % 7)})
		}
		require.EqualValues(t, extra, w.Dropped())
		require.Len(t, w.channels[0].ring, maxSamples)
		w.Add(Sample{"a", 1, 1}) // older than all that are kept
		require.EqualValues(t, extra+1, w.Dropped())
		dst := make([]float32, 3)
		rows, _ := w.Regions((maxSamples+extra)*time.Millisecond, dst)
		require.Equal(t, 1, rows)
		require.EqualValues(t, maxSamples, dst[0])
		if baseline {
			require.Len(t, w.channels[0].baseline.sorted, maxSamples)
			require.Equal(t, []float32{-3, 3}, dst[1:])
		}
	}
}

func TestTimesFarFromTheOrigin(t *testing.T) {
	d := Definition{
		Encoder: Windowed, Channels: []string{"a"}, Regions: 2, Every: Duration(sec), Functions: []string{"last"},
		Fill: FillHold, StaleAfter: Duration(sec), Baseline: true,
	}
	const first, last = time.Duration(-1 << 63), time.Duration(1<<63 - 1)
	for _, c := range []struct {
		sample, moment time.Duration
		rows           int
		age            time.Duration
	}{
		{first, first, 1, 0},
		{first, 0, 0, maxTime},
		{first, last, 0, 2 * maxTime},
		{last, first, 0, -1},
		{last, 0, 0, -1},
		{last, last, 1, 0},
	} {
		w, err := NewWindow(d)
		require.NoError(t, err)
		w.Add(Sample{"a", c.sample, 1})
		rows, age := w.Regions(c.moment, make([]float32, 2))
		require.Equal(t, c.rows, rows, "sample at %d, T %d", c.sample, c.moment)
		require.Equal(t, c.age, age, "sample at %d, T %d", c.sample, c.moment)
	}
}

func TestNewWindowRefuses(t *testing.T) {
	good := Definition{Encoder: Windowed, Channels: []string{"a"}, Regions: 1, Every: Duration(sec), Functions: []string{"last"}}
	_, err := NewWindow(good)
	require.NoError(t, err)
	bad := good
	bad.Every = 0
	_, err = NewWindow(bad)
	require.EqualError(t, err, "every: required: a duration above 0")
	_, err = NewWindow(Definition{Encoder: Push, Regions: 3})
	require.EqualError(t, err, `encoder: "push" has no window`)
}
