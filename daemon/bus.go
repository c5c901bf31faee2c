package daemon

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// busWatch asks a bus whether a read on it hangs.
type busWatch struct {
	poller  *sensor.Poller
	reasons map[int]string // by the sensor that hangs, as the poller counts them
	sensors map[int]*health
	// before has the bus until the poller may begin, after a reload; nil then.
	before atomic.Pointer[busWatch]
}

func newBusWatch(poller *sensor.Poller, sensors map[int]*health) *busWatch {
	b := &busWatch{poller: poller, reasons: map[int]string{}, sensors: sensors}
	for i, h := range sensors {
		b.reasons[i] = fmt.Sprintf("%s hangs in a read of sensor %s", poller.Bus(), h.alias)
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
	if i, _, ok := b.poller.Overdue(at); ok {
		return b.reasons[i]
	}
	if before := b.before.Load(); before != nil {
		return before.stuck(at)
	}
	return ""
}

// mark says in the status of the sensors on this bus that it hangs, if it does.
// all describes the sensors, in their order.
func (b *busWatch) mark(at time.Duration, sensors []*health, all []api.SensorStatus) {
	reason := b.stuck(at)
	if reason == "" {
		return
	}
	for i, h := range sensors {
		if b.has(h) {
			all[i].State, all[i].Reason = api.StateStuck, reason
		}
	}
}
