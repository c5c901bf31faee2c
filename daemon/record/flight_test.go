package record

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// flying keeps a minute in as little memory as there can be.
func flying(on ...string) Config {
	c := small(DurableRecord)
	c.When, c.Flight, c.FlightBytes, c.FlightOn = "", encoder.Duration(time.Minute), minFlight, on
	return c
}

// flights are the files of flights on a disk.
func flights(t testing.TB, disk *simFS) (all []Source) {
	for _, s := range sources(t, disk) {
		if strings.HasSuffix(s.Name, "-flight.mcap") {
			all = append(all, s)
		}
	}
	return all
}

// TestFlight: nothing is written before it is wanted, then the newest minute.
func TestFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		r, clock := newTest(flying(), disk)
		second := func(n int) {
			clock.now.Store(int64(n) * 1e9)
			for i := range 3 {
				note(r, n*1000+i)
			}
		}
		require.ErrorContains(t, r.Flight("too early"), "nothing has come yet")
		for n := range 600 {
			second(n)
		}
		require.NoError(t, r.Flush(t.Context()))
		require.Empty(t, sources(t, disk))
		require.NoError(t, r.Flight("test"))
		synctest.Wait()
		all := flights(t, disk)
		require.Len(t, all, 1)
		got, err := Load(all)
		require.NoError(t, err)
		seen := values(got)
		require.Equal(t, 599002, seen[len(seen)-1])
		require.Contains(t, seen, 540000, "a minute ago")
		require.Greater(t, seen[0], 450000, "and not much more")
		for i := 3; i < len(seen); i++ {
			require.Equal(t, seen[i-3]+1000, seen[i], "without a gap")
		}
		require.Equal(t, Flight, got.When)
		require.NotEmpty(t, got.Lacks())
		foreign(t, all[0])
		require.Zero(t, r.Stats().Forgotten)

		// At most one in a minute; the next has what came since.
		second(610)
		require.ErrorIs(t, r.Flight("again"), ErrTooSoon)
		second(659)
		require.NoError(t, r.Flight("again"))
		synctest.Wait()
		all = flights(t, disk)
		require.Len(t, all, 2)
		got, err = Load(all[1:])
		require.NoError(t, err)
		require.Equal(t, []int{610000, 610001, 610002, 659000, 659001, 659002}, values(got))
		require.EqualValues(t, 2, r.Stats().Flights)
		require.NoError(t, r.Close(t.Context()))
	})
}

// TestFlightIsBounded: what does not fit is forgotten, the oldest first, and
// counted; one record that is larger than everything is one too many.
func TestFlightIsBounded(t *testing.T) {
	f := &flight{keep: time.Hour, max: minFlight}
	var forgotten int64
	const n = 5000
	for i := range n {
		forgotten += f.add(make([]byte, 100+i%1500), time.Duration(i))
		require.LessOrEqual(t, f.size, f.max)
		size := 0
		for _, p := range f.parts {
			size += cap(p.data)
		}
		require.Equal(t, size, f.size)
	}
	kept := int64(0)
	for _, p := range f.parts {
		kept += p.messages
	}
	require.EqualValues(t, n, kept+forgotten)
	require.Greater(t, kept, int64(40))
	require.EqualValues(t, 1, f.add(make([]byte, f.max+1), n))
	require.Positive(t, f.add(make([]byte, f.max), n), "everything else goes for it")
	require.Len(t, f.parts, 1)

	small := make([]byte, 200)
	for i := range 2000 {
		f.add(small, time.Duration(n+i))
	}
	require.Zero(t, testing.AllocsPerRun(2000, func() { f.add(small, 2*n) }))
}

// TestFlightWaitsForTheDisk: one that cannot be written is tried again.
func TestFlightWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		broken := true
		disk.before = func(op string) error {
			if broken && op == "write" {
				return errors.New("no space left on device")
			}
			return nil
		}
		r, _ := newTest(flying(), disk)
		note(r, 1)
		require.NoError(t, r.Flight("test"))
		synctest.Wait()
		require.Error(t, r.LastError())
		note(r, 2)
		disk.mu.Lock()
		broken = false
		disk.mu.Unlock()
		time.Sleep(2 * maxPause)
		synctest.Wait()
		require.NoError(t, r.LastError())
		got, err := Load(flights(t, disk))
		require.NoError(t, err)
		require.Equal(t, []int{1}, values(got))
		require.NoError(t, r.Close(t.Context()))
	})
}

func TestFlightOn(t *testing.T) {
	answer := func(label, reason string, conflict bool) func(*Recorder) {
		return func(r *Recorder) {
			r.Result(&result.Result{Mono: 5e9, Label: label, Reason: reason,
				Modalities: []result.Modality{{Name: "light", Present: true, Conflict: conflict}}})
		}
	}
	good, bad, dispute := answer("x", "", false), answer("", "no data", false), answer("x", "", true)
	alarm := func(r *Recorder) { r.Alarm(SensorDown, "sensor desk: unplugged", 5e9) }
	for name, c := range map[string]struct {
		on    []string
		steps []func(*Recorder)
		want  int64
	}{
		"none is asked for":       {nil, []func(*Recorder){good, bad, dispute, alarm}, 0},
		"a sensor":                {[]string{SensorDown}, []func(*Recorder){good, alarm, alarm}, 1},
		"no answer":               {[]string{NoAnswer}, []func(*Recorder){good, bad, bad}, 1},
		"never an answer":         {[]string{NoAnswer}, []func(*Recorder){bad, bad}, 0},
		"a conflict":              {[]string{InConflict}, []func(*Recorder){good, dispute, dispute}, 1},
		"another one than wanted": {[]string{InConflict}, []func(*Recorder){good, bad, alarm}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := newSimFS()
				r, _ := newTest(flying(c.on...), disk)
				note(r, 1)
				for _, step := range c.steps {
					step(r)
					synctest.Wait()
				}
				require.Equal(t, c.want, r.Stats().Flights)
				require.NoError(t, r.Close(t.Context()))
			})
		})
	}
}

// TestFlightBesideARecording: a trigger's recording and a flight do not mix.
func TestFlightBesideARecording(t *testing.T) {
	disk := newSimFS()
	c := flying()
	c.When = API
	r, _ := newTest(c, disk)
	note(r, 1)
	r.Start()
	note(r, 2)
	require.NoError(t, r.Flight("test"))
	require.NoError(t, r.Close(t.Context()))
	all := sources(t, disk)
	require.Len(t, all, 2)
	flight := flights(t, disk)
	got, err := Load(flight)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, values(got))
	rest := slices.DeleteFunc(all, func(s Source) bool { return s.Name == flight[0].Name })
	got, err = Load(rest)
	require.NoError(t, err)
	require.Equal(t, []int{2}, values(got))
}

// TestFlightTakesNoNumber: a recording of everything lacks nothing because of a flight.
func TestFlightTakesNoNumber(t *testing.T) {
	disk := newSimFS()
	c := flying()
	c.When = Always
	r, _ := newTest(c, disk)
	note(r, 1)
	require.NoError(t, r.Flight("test"))
	require.NoError(t, r.Flush(t.Context()))
	require.Eventually(t, func() bool { return r.Stats().Flights == 1 }, 10*time.Second, time.Millisecond)
	note(r, 2)
	require.NoError(t, r.Close(t.Context()))
	flight := flights(t, disk)
	rest := slices.DeleteFunc(sources(t, disk), func(s Source) bool { return s.Name == flight[0].Name })
	got, err := Load(rest)
	require.NoError(t, err)
	require.Empty(t, got.Lacks())
}

// TestWriteBudget: a day's writes are bounded, labels go on, and the next day
// begins anew.
func TestWriteBudget(t *testing.T) {
	disk := newSimFS()
	c := small(DurableRecord)
	c.WriteBudgetBytes = c.SegmentBytes
	r, clock := newTest(c, disk)
	hour := func(n int) {
		clock.now.Store(int64(n) * int64(time.Hour))
		for range 100 {
			r.Reading(0, clock.Now(), []encoder.Sample{{Channel: "lux", Value: 1}}, "", "")
			require.NoError(t, r.Flush(t.Context()))
		}
	}
	hour(0)
	require.False(t, r.OverBudget(clock.Now()))
	for n := 1; n < 20; n++ {
		hour(n)
	}
	require.True(t, r.OverBudget(clock.Now()))
	require.False(t, r.Active(clock.Now()))
	size := func() (n int64) {
		entries, err := disk.List()
		require.NoError(t, err)
		for _, e := range entries {
			n += e.Size
		}
		return n
	}
	require.InDelta(t, c.WriteBudgetBytes, size(), 8000, "the end of the file comes on top")
	require.NoError(t, r.Label(t.Context(), &Label{Label: "x", From: 1}))
	before := r.Stats().Records
	hour(23)
	require.Equal(t, before, r.Stats().Records)
	hour(24)
	require.Greater(t, r.Stats().Records, before)
	require.False(t, r.OverBudget(clock.Now()))
	require.NoError(t, r.Close(t.Context()))
	require.Contains(t, load(t, disk).Lacks(), "records are missing")
}

// TestWriteBudgetIsKeptAcrossStarts: what is there from this day counts.
func TestWriteBudgetIsKeptAcrossStarts(t *testing.T) {
	c := small(DurableRecord)
	c.Directory, c.WriteBudgetBytes = t.TempDir(), c.SegmentBytes
	clock := &testClock{}
	clock.now.Store(int64(time.Until(clock.Wall(0)).Abs()))
	total := int64(0)
	for range 4 {
		r := New(c, testRun(), clock, OS{}, slog.New(slog.DiscardHandler), nil)
		for range 200 {
			r.Reading(0, clock.Now(), []encoder.Sample{{Channel: "lux", Value: 1}}, "", "")
			require.NoError(t, r.Flush(t.Context()))
		}
		require.NoError(t, r.Close(t.Context()))
		total += r.Stats().Bytes
	}
	require.Less(t, total, c.WriteBudgetBytes+8000)
}

func TestCheckOfFlightsAndBudget(t *testing.T) {
	for want, c := range map[string]Config{
		"flight: needed":                 {FlightOn: []string{SensorDown}},
		`flight_on: "rain" is not one`:   {Flight: encoder.Duration(time.Minute), FlightOn: []string{"rain"}},
		"flight: 1ms is less than":       {Flight: encoder.Duration(time.Millisecond)},
		"flight_bytes: 5 is not in":      {Flight: encoder.Duration(time.Minute), FlightBytes: 5},
		"write_budget_bytes: 5 is less":  {WriteBudgetBytes: 5},
		"write_budget_bytes: -1 is less": {WriteBudgetBytes: -1},
	} {
		require.ErrorContains(t, c.Check(), want)
	}
	good := flying(SensorDown, NoAnswer, InConflict)
	good.SegmentBytes = 0
	require.NoError(t, good.Check())
}
