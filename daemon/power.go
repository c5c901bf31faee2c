package daemon

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
)

// What can be wrong with the machine's supply and heat, as Results name it.
const (
	undervoltage = "undervoltage"     // the supply is too weak, or its cable
	capped       = "frequency-capped" // the firmware keeps the clock low for it
	throttled    = "throttled"        // the firmware slows the CPU down
	hot          = "hot"              // at a temperature at which that happens
	overcurrent  = "overcurrent"      // the supply was cut back for a moment
)

var powerWords = []string{undervoltage, capped, throttled, hot, overcurrent}

// Words of [agent] throttle: what the daemon does for a machine that is hot or
// whose supply is weak.
const (
	// ThrottleStepDown skips every second tick, the default. Samples are collected
	// and recorded as ever.
	ThrottleStepDown = "step-down"
	// ThrottleIgnore goes on as before.
	ThrottleIgnore = "ignore"
)

const (
	powerEvery = 10 * time.Second
	// recovery is how long all must have been well before every tick is decided again.
	recovery = time.Minute
)

// powerState is what the machine said of itself at one moment. Nobody changes it.
type powerState struct {
	degraded, sinceBoot []string
	temperature         float64 // °C, of the hottest zone; NaN: unknown
	// Hz, of the fastest CPU; NaN: unknown. Limit is what something allows now of what
	// the CPU can do at most.
	frequency, limit, most float64
	unreadable             int  // files that do not answer
	known                  bool // the machine says anything at all
}

// slow says whether to step down. Overcurrent alone is no reason: it lasts for
// milliseconds, and some boards count it all day.
func (s *powerState) slow() bool {
	return slices.ContainsFunc(s.degraded, func(word string) bool { return word != overcurrent })
}

// powerWatch asks the machine about its power and heat now and then. A nil one
// knows nothing, as in a replay, whose Results must not depend on the machine.
type powerWatch struct {
	read   func() *powerState
	now    func() time.Duration
	change func(degraded []string)

	newest   atomic.Pointer[powerState]
	badUntil atomic.Int64 // a moment of now
}

// run asks until ctx ends.
func (w *powerWatch) run(ctx context.Context) {
	if w == nil {
		return
	}
	t := time.NewTicker(powerEvery)
	defer t.Stop()
	for {
		w.ask()
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (w *powerWatch) ask() {
	s, before := w.read(), w.degraded()
	w.newest.Store(s)
	if s.slow() {
		w.badUntil.Store(int64(w.now() + recovery))
	}
	if !slices.Equal(before, s.degraded) {
		w.change(s.degraded)
	}
}

// degraded names what is wrong, nil for nothing. It is read only.
func (w *powerWatch) degraded() []string {
	if w == nil || w.newest.Load() == nil {
		return nil
	}
	return w.newest.Load().degraded
}

// bad is true while something is wrong and until nothing has been for a while.
func (w *powerWatch) bad() bool {
	return w != nil && int64(w.now()) < w.badUntil.Load()
}

// line is what the status line says of it.
func (w *powerWatch) line() string {
	if bad := w.degraded(); len(bad) > 0 {
		return ", " + strings.Join(bad, ", ")
	}
	return ""
}

// status describes it, nil where the machine says nothing.
func (w *powerWatch) status(stepsDown bool) *api.PowerStatus {
	if w == nil || w.newest.Load() == nil || !w.newest.Load().known {
		return nil
	}
	s := w.newest.Load()
	known := func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
	return &api.PowerStatus{
		Degraded: s.degraded, SinceBoot: s.sinceBoot, SteppedDown: stepsDown && w.bad(),
		TemperatureC: known(s.temperature), FrequencyHz: known(s.frequency), Unreadable: s.unreadable,
	}
}

// powerMetrics registers what the machine says of its power; NaN is unknown.
func (d *Daemon) powerMetrics(gauge func(string, func() float64)) {
	gauge("ragedge_ticks_skipped_total", func() float64 { return float64(d.pipeline.skipped.Load()) })
	w := d.power
	if w == nil {
		return
	}
	newest := func() *powerState {
		if s := w.newest.Load(); s != nil {
			return s
		}
		return &unknownPower
	}
	gauge("ragedge_power_undervoltage", func() float64 { return oneIf(slices.Contains(newest().degraded, undervoltage)) })
	for _, word := range powerWords[1:] {
		gauge(fmt.Sprintf("ragedge_cpu_throttled{kind=%q}", word), func() float64 { return oneIf(slices.Contains(newest().degraded, word)) })
	}
	gauge("ragedge_cpu_frequency_hz", func() float64 { return newest().frequency })
	gauge("ragedge_cpu_frequency_limit_hz", func() float64 { return newest().limit })
	gauge("ragedge_cpu_frequency_max_hz", func() float64 { return newest().most })
	gauge("ragedge_soc_temperature_celsius", func() float64 { return newest().temperature })
	gauge("ragedge_power_unreadable_files", func() float64 { return float64(newest().unreadable) })
}

var unknownPower = powerState{temperature: math.NaN(), frequency: math.NaN(), limit: math.NaN(), most: math.NaN()}

// skips says whether to leave a tick out, every second one while the machine is not
// well. The first one is decided. The pipeline's lock is held.
func (p *pipeline) skips() bool {
	skip := p.mayRest && p.stepDown && p.power.bad()
	p.mayRest = !skip
	if skip {
		p.skipped.Add(1)
	}
	return skip
}

// powerChanged logs what is wrong with the machine, or that nothing is any more.
func (d *Daemon) powerChanged(degraded []string) {
	if len(degraded) == 0 {
		d.env.Log.Info("power and heat are well again")
		return
	}
	advice := "look at the fan and the heat sink"
	if slices.Contains(degraded, undervoltage) || slices.Contains(degraded, overcurrent) {
		advice = "look at the power supply and its cable"
	}
	d.env.Log.Warn("the machine is degraded", "by", strings.Join(degraded, ", "), "advice", advice)
}
