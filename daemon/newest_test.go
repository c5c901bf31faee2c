package daemon

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// newCollecting is a daemon without a model, with the sensors of newLive, in
// virtual time.
func newCollecting(t *testing.T, change func(*Config)) *live {
	l := &live{bus: &fakeBus{raw: 600}, notes: &notes{}, results: &results{}}
	c := quiet(lightSensor(), airSensor())
	if change != nil {
		change(&c)
	}
	var err error
	l.Daemon, err = New(c, Environment{Hardware: sensor.Hardware{I2C: l.bus.open}, Notify: l.notes, OnResult: l.results.add})
	require.NoError(t, err)
	return l
}

func channelsOf(r *result.Result) (names []string) {
	for _, reading := range r.Readings {
		names = append(names, reading.Channel)
	}
	return names
}

func reading(t *testing.T, r *result.Result, channel string) result.Reading {
	for _, reading := range r.Readings {
		if reading.Channel == channel {
			return reading
		}
	}
	require.Fail(t, "no channel "+channel)
	return result.Reading{}
}

func TestCollectingPublishesReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCollecting(t, nil)
		stop := run(t, l.Daemon)
		time.Sleep(collectEvery)
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, []string{"co2", "lux"}, channelsOf(r))
		lux, co2 := reading(t, r, "lux"), reading(t, r, "co2")
		require.Equal(t, 500., lux.Value)
		require.LessOrEqual(t, lux.Age, 2*time.Second)
		require.Equal(t, result.Reading{Channel: "co2", Reason: reasonNothing, Age: -1}, co2)
		require.Nil(t, r.Labels)
		require.Empty(t, r.Model)
		require.Empty(t, r.Modalities)

		l.push(t, 417.25)
		time.Sleep(collectEvery)
		synctest.Wait()
		co2 = reading(t, l.results.last(t), "co2")
		require.Equal(t, 417.25, co2.Value)
		require.Positive(t, co2.Age)
		require.Contains(t, string(l.results.last(t).AppendJSON(nil)), `"readings":{"co2":{"value":417.25,"age_s":`)

		require.NoError(t, l.Ready())
		s := l.Status()
		require.Equal(t, api.StateUp, s.State)
		require.Zero(t, s.Decisions, "nothing is decided without a model")
		require.Contains(t, l.statusLine(), "2/2 sensors ok, no model: collecting")
		require.NoError(t, stop())
	})
}

// A value whose sensor failed is not passed on as if it were true.
func TestCollectingWithholdsValuesOfADeadSensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCollecting(t, nil)
		stop := run(t, l.Daemon)
		time.Sleep(collectEvery)
		l.push(t, 400)
		l.bus.set(func(b *fakeBus) { b.err = errRemote })
		time.Sleep(2 * collectEvery)
		synctest.Wait()
		r := l.results.last(t)
		lux := reading(t, r, "lux")
		require.Zero(t, lux.Value)
		require.Contains(t, lux.Reason, "sensor desk: ")
		require.GreaterOrEqual(t, lux.Age, collectEvery)
		require.NotContains(t, string(r.AppendJSON(nil)), `"lux":{"value"`)
		require.Equal(t, 400., reading(t, r, "co2").Value)

		l.bus.set(func(b *fakeBus) { b.err, b.raw = nil, 1200 })
		time.Sleep(2 * time.Minute) // as long as the longest back-off
		synctest.Wait()
		require.Equal(t, 1000., reading(t, l.results.last(t), "lux").Value)
		require.NoError(t, stop())
	})
}

func TestCollectingAtTheConfiguredTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCollecting(t, func(c *Config) {
			require.NoError(t, json.Unmarshal([]byte(twoFeatures), &c.Features))
			c.Features.Tick /= 5
		})
		stop := run(t, l.Daemon)
		time.Sleep(3 * tinyTick)
		synctest.Wait()
		require.Equal(t, 15, l.results.len())
		require.NoError(t, stop())
	})
}

func TestCollectingPublishesPushes(t *testing.T) {
	l := newCollecting(t, func(c *Config) {
		c.Agent.Trigger = TriggerPush
		c.Sensors = c.Sensors[1:]
	})
	stop := run(t, l.Daemon)
	require.Eventually(t, func() bool { return l.reloads.announced.Load() }, 10*time.Second, time.Millisecond)
	l.push(t, 400)
	require.Equal(t, 400., reading(t, l.results.last(t), "co2").Value)
	require.NoError(t, stop())
}

// With a model, Results carry readings only where the configuration says so.
func TestReadingsBesideAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &live{bus: &fakeBus{raw: 600}, results: &results{}}
		c := quiet(lightSensor())
		c.Agent.Readings = true
		var err error
		l.Daemon, err = New(c, Environment{
			Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: l.bus.open}, Notify: &notes{}, OnResult: l.results.add,
		})
		require.NoError(t, err)
		stop := run(t, l.Daemon)
		time.Sleep(tinyTick)
		l.push(t, 3) // of a channel that no sensor has
		time.Sleep(tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, "bright", r.Label)
		require.Equal(t, 500., reading(t, r, "lux").Value)
		require.Equal(t, 3., reading(t, r, "co2").Value)
		require.Equal(t, []sink.Channel{{Name: "co2"}, {Name: "lux", Unit: "lx"}}, l.announcement(l.current.Load(), &sink.Config{}).Readings)
		require.NoError(t, stop())
	})
}

// A reload that leaves a sensor alone keeps its newest value.
func TestReadingsSurviveAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		r.config.Agent.Model = ""
		r.start(t)
		stop := run(t, r.Daemon)
		time.Sleep(time.Second)
		require.NoError(t, r.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 417}}}))
		r.config.Sensors = append(r.config.Sensors, sensor.Config{Alias: "door", Type: sensor.Push, Channels: map[string]string{"open": "open"}})
		require.NoError(t, r.Reload())
		time.Sleep(collectEvery)
		synctest.Wait()
		last := r.results.last(t)
		require.Equal(t, []string{"co2", "lux", "open"}, channelsOf(last))
		require.Equal(t, 417., reading(t, last, "co2").Value)
		require.NoError(t, stop())
	})
}

// TestSlowSensorsKeepReady: a sensor that is read every ten minutes leaves a daemon
// without a model ready in between, and not for much longer once it is silent.
func TestSlowSensorsKeepReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCollecting(t, func(c *Config) { c.Sensors[0].Interval = encoder.Duration(10 * time.Minute) })
		stop := run(t, l.Daemon)
		for range 25 {
			time.Sleep(time.Minute)
			synctest.Wait()
			require.NoError(t, l.Ready())
			require.Equal(t, api.StateUp, l.Status().State)
		}
		l.bus.set(func(b *fakeBus) { b.err = errors.New("remote I/O error") })
		time.Sleep(21 * time.Minute)
		synctest.Wait()
		require.ErrorIs(t, l.Ready(), api.ErrNotReady)
		require.NoError(t, stop())
	})
}

// TestOldPushMakesNothingOlder: what is pushed after the fact does not hide what came
// a moment ago.
func TestOldPushMakesNothingOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newCollecting(t, nil)
		stop := run(t, l.Daemon)
		time.Sleep(collectEvery + time.Millisecond)
		synctest.Wait()
		l.push(t, 400)
		require.NoError(t, l.Push(&api.Push{Age: time.Hour, Samples: []api.Sample{{Channel: "co2", Value: 300}}}))
		require.NoError(t, l.Ready())
		s := l.Status()
		require.Equal(t, api.StateUp, s.State)
		require.Zero(t, *s.Sensors[1].LastSuccessAgeS)
		require.NoError(t, stop())
	})
}
