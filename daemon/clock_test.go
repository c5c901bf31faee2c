package daemon

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// fakeWall is a wall clock that shows another time than the machine's, and the word
// of whoever keeps it.
type fakeWall struct {
	off    atomic.Int64
	synced atomic.Bool
	asked  atomic.Int64
}

func (w *fakeWall) hang(c *systemClock) {
	c.wall = func(now time.Time) time.Time { return now.Add(time.Duration(w.off.Load())) }
	c.ask = func() string {
		w.asked.Add(1)
		if w.synced.Load() {
			return result.Synced
		}
		return result.Unsynced
	}
}

// Row 42 of the fault list, wall clock +50 years, -1 h, back to 1970: decisions stand on the grid of whatever
// the wall clock shows and keep their pace and their order.
func TestRow42SystemClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		l := newLiveWith(t, airSensor())
		var w fakeWall
		w.hang(l.system)
		w.synced.Store(true)
		stop := run(t, l.Daemon)
		offsets := []time.Duration{0, 50*year + 3*time.Second, 49 * year, 49*year - time.Hour, -30*year + 8*time.Second, 0}
		for _, off := range offsets {
			w.off.Store(int64(off))
			time.Sleep(10*tinyTick + 1234*time.Millisecond)
		}
		synctest.Wait()
		require.NoError(t, stop())
		require.InDelta(t, 60, l.results.len(), 3)
		require.EqualValues(t, len(offsets)-1, l.system.steps.Load())
		grid := 0
		for i := range l.results.all {
			r := &l.results.all[i]
			if r.Time.UnixNano()%int64(tinyTick) == 0 {
				grid++
			}
			if i == 0 {
				continue
			}
			before := &l.results.all[i-1]
			require.Equal(t, before.Seq+1, r.Seq)
			require.GreaterOrEqual(t, r.Mono-before.Mono, tinyTick/2)
			require.LessOrEqual(t, r.Mono-before.Mono, tinyTick*3/2)
		}
		require.GreaterOrEqual(t, grid, l.results.len()-len(offsets), "one tick after a jump may be off the grid")
	})
}

// heldStdout is a reader that takes its time.
type heldStdout struct {
	lockedText
	hold chan struct{}
}

func (w *heldStdout) Write(p []byte) (int, error) {
	<-w.hold
	return w.lockedText.Write(p)
}

// Row 43 of the fault list, no RTC and the first sync after 10 min: Results keep their order; those that still wait
// when the clock is set go out with the time it would have shown, and so do those of
// a recording that is played later.
func TestRow43FirstSyncAfterTenMinutes(t *testing.T) {
	dir := t.TempDir()
	out := &heldStdout{}
	var truth time.Time // of the start
	var start time.Duration
	synctest.Test(t, func(t *testing.T) {
		out.hold = make(chan struct{})
		c := quiet(airSensor())
		c.Sinks = []sink.Config{{Type: sink.Stdout, Queue: 100}}
		c.Record = recordTo(dir)
		d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}, Stdout: out})
		require.NoError(t, err)
		var w fakeWall
		w.off.Store(-time.Now().UnixNano()) // 1970
		w.hang(d.system)
		truth, start = time.Now(), d.system.Now()
		stop := run(t, d)
		time.Sleep(3 * time.Second)
		require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 1}}}))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Zero(t, out.Len())

		w.off.Store(0)
		w.synced.Store(true)
		asked := w.asked.Load()
		close(out.hold) // before any other tick: the sink itself sees that the clock was set
		synctest.Wait()
		require.Equal(t, asked+1, w.asked.Load(), "a jump is asked about at once, and once")
		time.Sleep(3 * tinyTick)
		synctest.Wait()
		var text strings.Builder
		d.WriteMetrics(&text)
		require.Contains(t, text.String(), "ragedge_clock_synchronized 1\n")
		require.Contains(t, text.String(), "ragedge_clock_steps_total 1\n")
		require.NoError(t, stop())
	})

	var lines []result.Result
	for line := range strings.Lines(out.String()) {
		var r result.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		lines = append(lines, r)
	}
	require.InDelta(t, 63, len(lines), 1)
	for i, r := range lines {
		require.EqualValues(t, i+1, r.Seq)
		want := truth.Add(r.Mono - start)
		switch {
		case i == 0: // it was on its way already
			require.Equal(t, result.Unsynced, r.Quality)
			require.Equal(t, 1970, r.Time.Year())
			continue
		case r.Mono-start < 10*time.Minute:
			require.Equal(t, result.Backfilled, r.Quality)
		case r.Mono-start > 10*time.Minute+5*time.Second:
			require.Equal(t, result.Synced, r.Quality)
		}
		require.WithinDuration(t, want, r.Time, 2*time.Millisecond, i)
	}

	again := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
	require.Len(t, again.all, len(lines))
	for _, r := range again.all {
		require.WithinDuration(t, truth.Add(r.Mono-start), r.Time, time.Second)
	}
}

// Something that loses hold of the clock and gets it back dates only what came after.
func TestQualityFollowsTheKernel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSystemClock()
		var w fakeWall
		w.hang(c)
		r := result.Result{Quality: result.Unsynced, Clock: &c.set, Time: time.Unix(1, 0)}
		require.Equal(t, result.Unsynced, c.Quality())
		for range 100 {
			c.Quality()
		}
		require.EqualValues(t, 1, w.asked.Load(), "once a minute is enough")
		w.synced.Store(true)
		r.Redate()
		require.Equal(t, result.Unsynced, r.Quality, "it has not been asked yet")
		time.Sleep(qualityEvery + time.Second)
		r.Redate()
		require.Equal(t, result.Backfilled, r.Quality)
		require.True(t, c.Wall(0).Equal(r.Time))
		w.synced.Store(false)
		time.Sleep(qualityEvery + time.Second)
		require.Equal(t, result.Unsynced, c.Quality())
		require.Zero(t, c.steps.Load())
	})
}
