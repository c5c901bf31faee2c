package daemon

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// health is what the pipeline knows of one sensor. Up: its last reading was
// good. Degraded: it failed once or twice in a row, and what it delivered before
// still counts. Down: it failed three times, or in a way that another try does
// not mend; its modalities are masked until a good reading comes.
type health struct {
	alias, kind string
	state       atomic.Int32 // a sensorState; read without the pipeline's lock
	failures    int
	reason      string // the last failure, as a Result shows it
	lastGood    time.Duration
	reads       atomic.Int64
	errors      atomic.Int64
	nonFinite   atomic.Int64
	retired     bool // a reload took the sensor away: its readings count no more
}

type sensorState int32

const (
	probing sensorState = iota // no reading yet
	up
	degraded
	down
)

var stateNames = [...]string{"probing", "up", "degraded", "down"}

func (s sensorState) String() string { return stateNames[s] }

// failuresUntilDown is how many failed readings in a row take a sensor down: the
// reading itself and two more tries.
const failuresUntilDown = 3

// observe takes in a reading and reports whether the state changed.
func (h *health) observe(r *sensor.Reading) (changed bool) {
	before := h.now()
	after := before
	if r.Err == nil {
		h.reads.Add(1)
		after, h.failures, h.lastGood = up, 0, r.At
		h.reason = ""
	} else {
		after = h.fail(r.Err)
	}
	h.state.Store(int32(after))
	return after != before
}

// fail counts a failure and returns the state it leads to.
func (h *health) fail(err error) sensorState {
	h.errors.Add(1)
	h.failures++
	h.reason = fmt.Sprintf("sensor %s: %v", h.alias, err)
	if errors.Is(err, sensor.ErrNonFinite) {
		h.nonFinite.Add(1)
		return down
	}
	state := h.now()
	switch {
	case errors.Is(err, sensor.ErrUnplugged), h.failures >= failuresUntilDown:
		return down
	case state == up:
		return degraded
	}
	return state
}

func (h *health) now() sensorState { return sensorState(h.state.Load()) }

// status describes the sensor at a moment of the timeline. A sensor whose bus
// hangs is told apart by the caller.
func (h *health) status(now time.Duration) api.SensorStatus {
	s := api.SensorStatus{
		Alias: h.alias, Type: h.kind, State: h.now().String(), Reason: h.reason,
		Reads: h.reads.Load(), Errors: h.errors.Load(),
	}
	if h.lastGood >= 0 {
		s.LastSuccessAgeS = seconds(now - h.lastGood)
	}
	return s
}
