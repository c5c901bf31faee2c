package daemon

import (
	"fmt"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// busWatch asks a bus whether a read on it hangs.
type busWatch struct {
	poller  *sensor.Poller
	reasons map[int]string // by the sensor that hangs
}

func (d *Daemon) buildBuses() {
	for _, poller := range d.pollers {
		b := &busWatch{poller: poller, reasons: map[int]string{}}
		for _, i := range poller.Sensors() {
			b.reasons[i] = fmt.Sprintf("%s hangs in a read of sensor %s", poller.Bus(), d.config.Sensors[i].Alias)
		}
		d.buses = append(d.buses, b)
	}
}

func (b *busWatch) has(sensor int) bool {
	_, ok := b.reasons[sensor]
	return ok
}

// stuck says which read hangs at a moment, and nothing when none does.
func (b *busWatch) stuck(at time.Duration) string {
	if i, _, ok := b.poller.Overdue(at); ok {
		return b.reasons[i]
	}
	return ""
}

// mark says in the status of the sensors on this bus that it hangs, if it does.
func (b *busWatch) mark(at time.Duration, all []api.SensorStatus) {
	reason := b.stuck(at)
	if reason == "" {
		return
	}
	for i := range b.reasons {
		all[i].State, all[i].Reason = api.StateStuck, reason
	}
}
