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
// still counts; or its values are frozen, and are used or not as its configuration
// says. Down: it failed three times, or in a way that another try does not mend, or
// a read hangs; its modalities are masked until a good reading comes. Wedged: a
// read has hung for so long that only a hand will mend it; the bus knows that, see
// busWatch.
type health struct {
	alias, kind string
	state       atomic.Int32 // a sensorState; read without the pipeline's lock
	failures    int
	reason      string // the last failure, as a Result shows it
	lastGood    time.Duration
	reads       atomic.Int64
	errors      atomic.Int64
	nonFinite   atomic.Int64
	judge       *sensor.Judge // what of its readings to believe; nil believes all
	frozen      atomic.Bool
	masks       bool // although it is not down
	retired     bool // a reload took the sensor away: its readings count no more
}

type sensorState int32

const (
	probing sensorState = iota // no reading yet
	up
	degraded
	down
	wedged // never that of a health: see setup.stateOf
)

var stateNames = [...]string{api.StateProbing, api.StateUp, api.StateDegraded, api.StateDown, api.StateWedged}

func (s sensorState) String() string { return stateNames[s] }

// failuresUntilDown is how many failed readings in a row take a sensor down: the
// reading itself and two more tries.
const failuresUntilDown = 3

// observe takes in a reading and reports whether the state changed.
func (h *health) observe(r *sensor.Reading) (changed bool) {
	before := h.now()
	after := before
	frozen := errors.Is(r.Err, sensor.ErrFrozen)
	h.frozen.Store(frozen)
	h.masks = frozen && len(r.Samples) == 0
	switch {
	case r.Err == nil:
		h.reads.Add(1)
		after, h.failures, h.lastGood = up, 0, max(h.lastGood, r.At)
		h.reason = ""
	case frozen:
		h.reads.Add(1)
		after, h.failures = degraded, 0
		h.reason = h.says(r.Err)
	default:
		after = h.fail(r.Err)
	}
	h.state.Store(int32(after))
	return after != before
}

// fail counts a failure and returns the state it leads to.
func (h *health) fail(err error) sensorState {
	h.errors.Add(1)
	h.failures++
	h.reason = h.says(err)
	if errors.Is(err, sensor.ErrNonFinite) {
		h.nonFinite.Add(1)
		return down
	}
	state := h.now()
	switch {
	case errors.Is(err, sensor.ErrUnplugged), errors.Is(err, sensor.ErrMasked), h.failures >= failuresUntilDown:
		return down
	case state == up:
		return degraded
	}
	return state
}

func (h *health) says(err error) string { return fmt.Sprintf("sensor %s: %v", h.alias, err) }

// broken says why nothing that it delivered can be trusted, "" when it can.
func (h *health) broken() string {
	if h.now() == down || h.masks {
		return h.reason
	}
	return ""
}

// doubt says what is wrong with values that are used all the same, "" for nothing.
func (h *health) doubt() string {
	if h.frozen.Load() && !h.masks {
		return h.reason
	}
	return ""
}

// strays counts the values that were out of their range.
func (h *health) strays() int64 {
	if h.judge == nil {
		return 0
	}
	return h.judge.Strays()
}

func (h *health) now() sensorState { return sensorState(h.state.Load()) }

// status describes the sensor at a moment of the timeline. A sensor whose bus
// hangs is told apart by the caller.
func (h *health) status(now time.Duration) api.SensorStatus {
	s := api.SensorStatus{
		Alias: h.alias, Type: h.kind, State: h.now().String(), Reason: h.reason,
		Reads: h.reads.Load(), Errors: h.errors.Load(), OutOfRange: h.strays(),
	}
	if h.lastGood >= 0 {
		s.LastSuccessAgeS = seconds(now - h.lastGood)
	}
	return s
}
