package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// wedgedAfter is how long a read hangs before nobody expects it to return. It is
// never tried again until it does: a second call would hang, too, and cost another
// thread.
const wedgedAfter = time.Minute

// busWatch asks a bus whether a read on it hangs.
type busWatch struct {
	poller *sensor.Poller
	// What to say of the sensor that hangs, as the poller counts them.
	hangs, wedges map[int]string
	sensors       map[int]*health
	// before has the bus until the poller may begin, after a reload; nil then.
	before atomic.Pointer[busWatch]
}

func newBusWatch(poller *sensor.Poller, sensors map[int]*health) *busWatch {
	b := &busWatch{poller: poller, hangs: map[int]string{}, wedges: map[int]string{}, sensors: sensors}
	for i, h := range sensors {
		b.hangs[i] = fmt.Sprintf("%s hangs in a read of sensor %s", poller.Bus(), h.alias)
		b.wedges[i] = fmt.Sprintf("%s is wedged: a read of sensor %s has not returned for more than %v; "+
			"switch that device's power off and on, then restart ragedge if it stays so; ragedge doctor looks at the bus",
			poller.Bus(), h.alias, wedgedAfter)
	}
	return b
}

func (b *busWatch) has(h *health) bool {
	for _, own := range b.sensors {
		if own == h {
			return true
		}
	}
	return false
}

// stuck says which read hangs at a moment, and nothing when none does.
func (b *busWatch) stuck(at time.Duration) string {
	_, reason := b.state(at)
	return reason
}

// state is down while a read hangs and wedged when it has for long, with the
// reason; up, without one, when none does. It takes no lock.
func (b *busWatch) state(at time.Duration) (state sensorState, reason string) {
	if i, since, ok := b.poller.Overdue(at); ok {
		if at-since > wedgedAfter {
			return wedged, b.wedges[i]
		}
		return down, b.hangs[i]
	}
	if before := b.before.Load(); before != nil {
		return before.state(at)
	}
	return up, ""
}

// stateOf is the state of a sensor at a moment, that of its bus included. It takes
// no lock.
func (s *setup) stateOf(h *health, at time.Duration) sensorState {
	if b := s.busOf(h); b != nil {
		if state, reason := b.state(at); reason != "" {
			return state
		}
	}
	return h.now()
}

// busOf returns the bus that a sensor is on, nil for one without.
func (s *setup) busOf(h *health) *busWatch {
	for _, b := range s.buses {
		if b.has(h) {
			return b
		}
	}
	return nil
}

// busesEvery is how often the log is told of buses that hang.
const busesEvery = 10 * time.Second

// watchBuses logs, until ctx ends, when a read begins to hang, when its bus is
// wedged, and when it has returned.
func (d *Daemon) watchBuses(ctx context.Context) {
	t := time.NewTicker(busesEvery)
	defer t.Stop()
	told := map[*busWatch]sensorState{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		buses := d.current.Load().buses
		for _, b := range buses {
			state, reason := b.state(d.pipeline.clock.Now())
			if before, seen := told[b]; state != before && (seen || state != up) {
				d.busChanged(b, state, reason)
			}
			told[b] = state
		}
		maps.DeleteFunc(told, func(b *busWatch, _ sensorState) bool { return !slices.Contains(buses, b) })
	}
}

func (d *Daemon) busChanged(b *busWatch, state sensorState, reason string) {
	switch state {
	case wedged:
		d.env.Log.Error("bus wedged", "bus", b.poller.Bus(), "reason", reason)
	case down:
		d.env.Log.Warn("bus hangs", "bus", b.poller.Bus(), "reason", reason)
	default:
		d.env.Log.Info("bus answers again", "bus", b.poller.Bus())
	}
}

// mark says in the status of the sensors on this bus that it hangs, if it does.
// all describes the sensors, in their order.
func (b *busWatch) mark(at time.Duration, sensors []*health, all []api.SensorStatus) {
	state, reason := b.state(at)
	if reason == "" {
		return
	}
	for i, h := range sensors {
		if b.has(h) {
			all[i].State, all[i].Reason = state.String(), reason
		}
	}
}
