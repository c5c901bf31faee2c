package daemon

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// Tests of rows of docs/reliability.md that belong to no other file.

// TestRow31NACK: a chip that does not answer once costs nothing, one that often
// does not costs no more than its missing samples, and one that never does again is
// masked within two ticks.
func TestRow31NACK(t *testing.T) {
	for _, c := range []struct {
		name    string
		fails   func(transfer int) bool
		present bool
	}{
		{"once", func(n int) bool { return n == 20 }, true},
		{"a tenth", func(n int) bool { return n%10 == 9 }, true},
		{"for ever", func(n int) bool { return n >= 20 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLive(t)
				stop := run(t, l.Daemon)
				for range 400 { // 100 ms each; the bus fails as its count says
					l.bus.set(func(b *fakeBus) {
						b.err = nil
						if c.fails(b.txs) {
							b.err = errRemote
						}
					})
					time.Sleep(100 * time.Millisecond)
				}
				l.push(t, 1)
				time.Sleep(2 * tinyTick)
				synctest.Wait()
				r := l.results.last(t)
				require.Equal(t, c.present, part(r, "light").Present, part(r, "light").Reason)
				require.NotEmpty(t, r.Label, "the other modality goes on")
				if !c.present {
					require.Contains(t, part(r, "light").Reason, "remote I/O error")
				}
				require.NoError(t, stop())
			})
		})
	}
}

// desk is a live daemon whose light sensor has a block of its own.
func desk(t *testing.T, change func(*sensor.Config)) *live {
	c := lightSensor()
	change(&c)
	return newLiveWith(t, c, airSensor())
}

// TestRow35FrozenInResults: a frozen sensor is masked or kept as its block says,
// and shown for what it is in Results, status and metrics until a value changes.
func TestRow35FrozenInResults(t *testing.T) {
	for _, policy := range []string{sensor.FrozenMask, sensor.FrozenKeep, sensor.FrozenOff} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := desk(t, func(c *sensor.Config) {
					c.FrozenAfter, c.Frozen = encoder.Duration(time.Minute), policy
				})
				stop := run(t, l.Daemon)
				time.Sleep(2 * time.Minute)
				l.push(t, 1)
				time.Sleep(tinyTick)
				synctest.Wait()
				light, status := part(l.results.last(t), "light"), l.Status()
				const reason = "sensor desk: frozen: the same value for more than 1m0s"
				if policy == sensor.FrozenOff {
					require.Empty(t, light.Reason)
					require.Equal(t, api.StateUp, status.State)
				} else {
					require.Equal(t, policy == sensor.FrozenKeep, light.Present)
					require.Equal(t, reason, light.Reason)
					require.Equal(t, api.StateDegraded, status.Sensors[0].State)
					require.Equal(t, reason, status.Sensors[0].Reason)
					require.Contains(t, l.statusLine(), "desk degraded")
					require.Contains(t, l.metricsText(), `ragedge_sensor_frozen{sensor="desk"} 1`)
					require.Contains(t, l.metricsText(), `ragedge_sensor_state{sensor="desk",state="degraded"} 1`)
				}
				l.bus.set(func(b *fakeBus) { b.raw++ })
				time.Sleep(tinyTick)
				synctest.Wait()
				require.True(t, part(l.results.last(t), "light").Present)
				require.Empty(t, part(l.results.last(t), "light").Reason)
				require.Equal(t, api.StateUp, l.Status().Sensors[0].State)
				require.Contains(t, l.metricsText(), `ragedge_sensor_frozen{sensor="desk"} 0`)
				require.NoError(t, stop())
			})
		})
	}
}

// TestRow37OutOfRangeInResults: what becomes of a value that cannot be true.
func TestRow37OutOfRangeInResults(t *testing.T) {
	for _, c := range []struct {
		policy  string
		one     bool // one such reading masks
		present bool // after many of them
	}{{"", false, false}, {sensor.RangeClamp, false, true}, {sensor.RangeMask, true, false}} {
		t.Run("policy "+c.policy, func(t *testing.T) {
			l := desk(t, func(b *sensor.Config) {
				b.Ranges, b.OutOfRange = map[string][2]float64{"lux": {0, 400}}, c.policy
			})
			require.NoError(t, l.open(t.Context(), func(error) {}))
			p := l.pipeline
			p.begin()
			at, _ := p.nextTick()
			deliver := func(value float64) {
				p.Deliver(p.sensors[0], sensor.Reading{At: at, Samples: sampleOf("lux", at, value)})
				p.Advance(at)
				at += tinyTick
			}
			deliver(100)
			require.True(t, part(l.results.last(t), "light").Present)
			deliver(401)
			require.Equal(t, !c.one, part(l.results.last(t), "light").Present)
			deliver(401)
			deliver(401)
			light := part(l.results.last(t), "light")
			require.Equal(t, c.present, light.Present)
			if !c.present {
				require.Contains(t, light.Reason, "sensor desk: lux: 401 is not in the range 0 to 400")
			}
			require.EqualValues(t, 3, l.Status().Sensors[0].OutOfRange)
			require.Contains(t, l.metricsText(), `ragedge_sensor_out_of_range_total{sensor="desk"} 3`)
			deliver(399)
			require.True(t, part(l.results.last(t), "light").Present)
		})
	}
	t.Run("pushed", func(t *testing.T) {
		air := airSensor()
		air.Ranges, air.OutOfRange = map[string][2]float64{"co2": {0, 5000}}, sensor.RangeDrop
		l := newLiveWith(t, lightSensor(), air)
		l.pipeline.begin()
		push := func(v float64) error { return l.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: v}}}) }
		require.NoError(t, push(400))
		require.ErrorIs(t, push(-1), api.ErrInvalid)
		require.EqualError(t, push(9000), "sample 0: invalid push: co2: 9000 is not in the range 0 to 5000")
		require.EqualValues(t, 2, l.Status().Sensors[1].OutOfRange)
		require.EqualValues(t, 2, l.Status().Sensors[1].Errors)
	})
}

// TestRow38Burst: what comes a hundred times too fast takes no memory beyond the
// window, and what the window loses is counted.
func TestRow38Burst(t *testing.T) {
	l := newLive(t)
	require.NoError(t, l.open(t.Context(), func(error) {}))
	p := l.pipeline
	p.begin()
	at, _ := p.nextTick()
	burst := sampleOf("lux", at, 100)
	deliver := func() {
		for range 100 {
			at += time.Microsecond
			burst[0].At = at
			p.Deliver(p.sensors[0], sensor.Reading{At: at, Samples: burst})
		}
	}
	for range 3000 {
		deliver()
	}
	require.Zero(t, testing.AllocsPerRun(100, deliver), "nothing grows")
	dropped := p.modalities[0].window.Dropped()
	require.Positive(t, dropped)
	require.Contains(t, l.metricsText(), fmt.Sprintf(`ragedge_window_dropped_total{modality="light"} %d`, dropped))
	p.Advance(at + tinyTick)
	require.True(t, part(l.results.last(t), "light").Present)
}

// TestRow41AllSensorsGone: with every sensor gone there is a Result at every tick,
// without an answer, and the ages grow.
func TestRow41AllSensorsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t)
		stop := run(t, l.Daemon)
		l.push(t, 1)
		time.Sleep(tinyTick + time.Second)
		require.NotEmpty(t, l.results.last(t).Label)
		l.bus.set(func(b *fakeBus) { b.err = errRemote })
		time.Sleep(6 * tinyTick)
		synctest.Wait()
		n := l.results.len()
		before := part(l.results.last(t), "light").Age
		time.Sleep(2 * tinyTick)
		synctest.Wait()
		r := l.results.last(t)
		require.Equal(t, n+2, l.results.len())
		require.Empty(t, r.Label)
		require.Empty(t, r.Probabilities)
		require.Equal(t, reasonAllAbsent, r.Reason)
		require.Equal(t, before+2*tinyTick, part(r, "light").Age)
		require.Contains(t, string(r.AppendJSON(nil)), `"label":null`)
		require.ErrorIs(t, l.Ready(), api.ErrNotReady)
		require.NoError(t, l.Live(), "a restart would bring no sensor back")
		require.NoError(t, stop())
	})
}

// jumpy is a clock whose wall can be set.
type jumpy struct {
	Clock
	by time.Duration
}

func (c *jumpy) Wall(at time.Duration) time.Time { return c.Clock.Wall(at).Add(c.by) }

func (c *jumpy) Next(after, every time.Duration) time.Duration {
	next := after + every - time.Duration(c.Wall(after).UnixNano())%every
	if next-after < every/2 {
		next += every
	}
	return next
}

// TestRow42TicksGoOn: however the wall clock is set, ticks go on at their
// distance on the monotonic clock, in order and one at a time, and windows neither
// lose nor repeat anything.
func TestRow42TicksGoOn(t *testing.T) {
	year := 365 * 24 * time.Hour
	for name, by := range map[string]time.Duration{
		"50 years on": 50 * year, "an hour back": -time.Hour, "to 1970": -29 * year, "a few seconds": 3700 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLive(t)
				clock := &jumpy{Clock: l.pipeline.clock}
				l.pipeline.clock = clock
				stop := run(t, l.Daemon)
				time.Sleep(3*tinyTick + time.Second)
				l.pipeline.mu.Lock()
				clock.by = by
				l.pipeline.mu.Unlock()
				time.Sleep(6 * tinyTick)
				synctest.Wait()
				require.NoError(t, stop())
				all := l.results.all
				require.InDelta(t, 9, len(all), 1)
				for i := 1; i < len(all); i++ {
					apart := all[i].Mono - all[i-1].Mono
					require.GreaterOrEqual(t, apart, tinyTick/2)
					require.LessOrEqual(t, apart, tinyTick*3/2)
					require.Equal(t, all[i-1].Seq+1, all[i].Seq)
					require.True(t, part(&all[i], "light").Present)
					require.LessOrEqual(t, part(&all[i], "light").Age, 2*time.Second, "no sample looks old")
				}
				require.Zero(t, l.Status().Missed)
				require.InDelta(t, float64(by), float64(all[len(all)-1].Time.Sub(all[0].Time)-(all[len(all)-1].Mono-all[0].Mono)), 1e6,
					"what the wall says is said, too")
			})
		})
	}
}

// TestRow45LateTicks: a starved machine decides the newest of the ticks that are
// due and counts the others; it keeps to its grid.
func TestRow45LateTicks(t *testing.T) {
	l := newLive(t)
	p := l.pipeline
	p.begin()
	first, _ := p.nextTick()
	at := first
	for i := range 50 {
		at = first + time.Duration(i)*2*tinyTick + tinyTick/3 // twenty times too slow would be no other
		p.Advance(at)
	}
	require.EqualValues(t, 50, p.decided.Load())
	require.EqualValues(t, 49, p.missed.Load())
	next, _ := p.nextTick()
	require.Less(t, next-at, tinyTick)
	require.Zero(t, (next-first)%tinyTick, "no drift")
}

// TestMaskedAtOnce: a word of out_of_range takes the sensor down with one reading.
func TestMaskedAtOnce(t *testing.T) {
	h := &health{alias: "desk", lastGood: -1}
	h.observe(&sensor.Reading{Err: fmt.Errorf("lux: 9, %w", sensor.ErrMasked)})
	require.Equal(t, down, h.now())
	require.True(t, strings.HasPrefix(h.broken(), "sensor desk: lux: 9"))
	h.observe(&sensor.Reading{Err: errors.Join(sensor.ErrFrozen)})
	require.Equal(t, degraded, h.now())
	require.NotEmpty(t, h.broken())
	require.Empty(t, h.doubt())
	h.observe(&sensor.Reading{Err: sensor.ErrFrozen, Samples: sampleOf("lux", 0, 1)})
	require.Empty(t, h.broken())
	require.NotEmpty(t, h.doubt())
	h.observe(&sensor.Reading{})
	require.Equal(t, up, h.now())
	require.Empty(t, h.broken()+h.doubt())
}

// TestReplayOfDoubts: what was frozen or out of range in a run is so in its replay,
// which has no ranges and looks for nothing frozen.
func TestReplayOfDoubts(t *testing.T) {
	for _, policy := range []string{sensor.FrozenMask, sensor.FrozenKeep} {
		dir := t.TempDir()
		live := &results{}
		synctest.Test(t, func(t *testing.T) {
			bus := &fakeBus{raw: 600}
			light, air := lightSensor(), airSensor()
			light.FrozenAfter, light.Frozen = encoder.Duration(20*time.Second), policy
			light.Ranges, light.OutOfRange = map[string][2]float64{"lux": {0, 1000}}, sensor.RangeMask
			air.Ranges, air.OutOfRange = map[string][2]float64{"co2": {0, 5000}}, sensor.RangeMask
			c := quiet(light, air)
			c.Record = recordTo(dir)
			d, err := New(c, Environment{
				Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}, OnResult: live.add,
			})
			require.NoError(t, err)
			stop := run(t, d)
			for i := range 60 {
				time.Sleep(3 * time.Second)
				bus.set(func(b *fakeBus) {
					if b.raw = uint16(100 + 37*i); i > 20 && i < 40 {
						b.raw = 700
					}
				})
				_ = d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: float64(400*(i%15)) - 300}}})
			}
			synctest.Wait()
			require.NoError(t, stop())
		})
		text := strings.Join(withoutWall(t, live.all), "\n")
		require.Contains(t, text, "frozen: the same value for more than 20s")
		require.Contains(t, text, " is not in the range 0 to 1000, masked by out_of_range")
		require.Contains(t, text, "sensor air: co2: -300 is not in the range 0 to 5000")
		again := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
		require.Equal(t, withoutWall(t, live.all), withoutWall(t, again.all))
	}
}
