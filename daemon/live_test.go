package daemon

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// live is a daemon on tinyModel with a light sensor on a fake bus and pushed
// air, in virtual time.
type live struct {
	*Daemon
	bus     *fakeBus
	notes   *notes
	results *results
}

func newLive(t *testing.T) *live { return newLiveWith(t, lightSensor(), airSensor()) }

func newLiveWith(t *testing.T, sensors ...sensor.Config) *live {
	l := &live{bus: &fakeBus{raw: 600}, notes: &notes{}, results: &results{}}
	var err error
	l.Daemon, err = New(quiet(sensors...), Environment{
		Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: l.bus.open}, Notify: l.notes, OnResult: l.results.add,
	})
	require.NoError(t, err)
	return l
}

func (l *live) push(t *testing.T, value float64) {
	require.NoError(t, l.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: value}}}))
}

func part(r *result.Result, name string) result.Modality {
	for _, m := range r.Modalities {
		if m.Name == name {
			return m
		}
	}
	return result.Modality{}
}

func TestLiveDecidesOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		stop := run(t, l.Daemon)
		time.Sleep(time.Second)
		l.push(t, -900)
		time.Sleep(3*tinyTick - time.Second)
		synctest.Wait()
		require.NoError(t, stop())

		require.Equal(t, 3, l.results.len())
		for i, r := range l.results.all {
			require.Zero(t, r.Time.UnixNano()%int64(tinyTick), "ticks stand on the wall's grid")
			require.Equal(t, uint64(i+1), r.Seq)
			require.NotEmpty(t, r.Quality)
		}
		r := l.results.all[1]
		require.Equal(t, "dark", r.Label, "-900 outweighs 500 lux")
		require.Empty(t, r.Reason)
		light, air := part(&r, "light"), part(&r, "air")
		require.True(t, light.Present)
		require.True(t, air.Present)
		require.InDelta(t, 0.5, light.Share, 1e-6)
		require.LessOrEqual(t, light.Age, 2*time.Second)
		require.InDelta(t, 19, air.Age.Seconds(), 0.01)
		require.InDelta(t, 1, r.Probabilities[0]+r.Probabilities[1], 1e-6)
	})
}

func TestRow31DeadSensorCostsOnlyItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		stop := run(t, l.Daemon)
		l.bus.set(func(b *fakeBus) { b.err = errRemote })
		time.Sleep(2 * time.Second)
		l.push(t, 1)
		time.Sleep(tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, "bright", r.Label)
		light, air := part(r, "light"), part(r, "air")
		require.False(t, light.Present)
		require.Contains(t, light.Reason, "sensor desk: ")
		require.Contains(t, light.Reason, "remote I/O error")
		require.Zero(t, light.Share)
		require.InDelta(t, 1, air.Share, 1e-6)
		status := l.Status()
		require.Equal(t, api.StateDegraded, status.State)
		require.Equal(t, api.StateDown, status.Sensors[0].State)

		l.bus.set(func(b *fakeBus) { b.err = nil })
		for range 12 { // as long as the longest back-off
			l.push(t, 1)
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		require.True(t, part(l.results.last(t), "light").Present, "the sensor comes back by itself")
		require.Equal(t, api.StateUp, l.Status().State)
		require.NoError(t, stop())
	})
}

func (b *fakeBus) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.txs
}

func (d *Daemon) metricsText() string {
	var b strings.Builder
	d.WriteMetrics(&b)
	return b.String()
}

// TestRow33HangingRead: a call that never returns costs its own bus, is told apart
// from one that is only late after a minute, and is never made again meanwhile.
func TestRow33HangingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		var logged bytes.Buffer
		l.env.Log = logTo(&logged)
		stop := run(t, l.Daemon)
		time.Sleep(tinyTick + time.Second)
		hang := make(chan struct{})
		l.bus.set(func(b *fakeBus) { b.hang = hang })
		for range 3 {
			l.push(t, 1)
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, "bright", r.Label)
		require.Equal(t, "I2C bus 1 hangs in a read of sensor desk", part(r, "light").Reason)
		require.Equal(t, api.StateDown, l.Status().Sensors[0].State)
		require.NotContains(t, l.statusLine(), "wedged")
		require.NoError(t, l.Live(), "a masked bus is no late stage")
		require.NoError(t, l.Ready())

		before := l.bus.count()
		for range 6 {
			l.push(t, 1)
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		wedge := "I2C bus 1 is wedged: a read of sensor desk has not returned for more than 1m0s; switch that device's power off and on"
		require.Contains(t, part(l.results.last(t), "light").Reason, wedge)
		require.Equal(t, api.StateWedged, l.Status().Sensors[0].State)
		require.Contains(t, l.Status().Reason, wedge)
		require.Contains(t, l.statusLine(), "desk wedged; "+wedge)
		require.Contains(t, l.metricsText(), `ragedge_sensor_state{sensor="desk",state="wedged"} 1`)
		require.Contains(t, l.metricsText(), `ragedge_sensor_up{sensor="desk"} 0`)
		require.Equal(t, before, l.bus.count(), "it is not called again")
		require.NoError(t, l.Live())

		l.bus.set(func(b *fakeBus) { b.hang = nil })
		close(hang)
		for range 12 {
			l.push(t, 1)
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		require.True(t, part(l.results.last(t), "light").Present)
		require.NoError(t, stop())
		for _, text := range []string{"bus hangs", "bus wedged", "bus answers again"} {
			require.Equal(t, 1, strings.Count(logged.String(), text), logged.String())
		}
	})
}

func TestLiveStopsBesideAHangingBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		hang := make(chan struct{})
		l.bus.set(func(b *fakeBus) { b.hang = hang })
		stop := run(t, l.Daemon)
		time.Sleep(tinyTick)
		begun := time.Now()
		require.NoError(t, stop())
		require.LessOrEqual(t, time.Since(begun), drainTime)
		close(hang)
		time.Sleep(time.Second) // the call that hung ends by itself
	})
}

func TestLiveStaleDataIsMasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		stop := run(t, l.Daemon)
		l.push(t, 1)
		time.Sleep(5 * tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, "no data for more than 30s", part(r, "air").Reason)
		require.Greater(t, part(r, "air").Age, 30*time.Second, "the age tells how long it has been gone")
		require.NoError(t, stop())
	})
}

func TestRow41NothingPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		l.bus.set(func(b *fakeBus) { b.err = errRemote })
		stop := run(t, l.Daemon)
		time.Sleep(2 * tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.Empty(t, r.Label)
		require.Equal(t, reasonAllAbsent, r.Reason)
		require.Empty(t, r.Probabilities)
		require.Equal(t, reasonNothing, part(r, "air").Reason)
		require.ErrorIs(t, l.Ready(), api.ErrNotReady)
		require.Equal(t, api.StateDown, l.Status().State)
		require.NoError(t, stop())
	})
}

func TestLiveNotifiesTheServiceManager(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "10000000")
	t.Setenv("WATCHDOG_PID", "")
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		stop := run(t, l.Daemon)
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		told := l.notes.take()
		require.Equal(t, "READY=1", told[0])
		fed := told[1:]
		require.Len(t, fed, 5, "at once and then every quarter of 10 s")
		for _, s := range fed {
			require.Contains(t, s, "WATCHDOG=1\nSTATUS=")
		}
		require.Contains(t, fed[4], "1/2 sensors ok")
		require.NoError(t, stop())
		require.Contains(t, l.notes.take(), "STOPPING=1")
	})
}

func TestRow44MissedTicksAreNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		p := l.pipeline
		p.begin()
		next, ok := p.nextTick()
		require.True(t, ok)
		p.Advance(next + 6*tinyTick + time.Second)
		require.EqualValues(t, 1, p.decided.Load())
		require.EqualValues(t, 6, p.missed.Load())
		after, _ := p.nextTick()
		require.Equal(t, next+7*tinyTick, after)
	})
}
