package daemon

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// defaultTestTime is how long a test run reads when no tick says it.
const defaultTestTime = 10 * time.Second

var printing sync.Mutex

// testTime is how long a test run reads: one tick.
func (d *Daemon) testTime() time.Duration {
	if tick := d.current.Load().config.Features.Tick.Std(); tick > 0 {
		return tick
	}
	return defaultTestTime
}

// printReading writes one reading as a line: moment, sensor, values or error.
func (d *Daemon) printReading(h *health, r sensor.Reading) {
	p := d.pipeline
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", p.clock.Wall(r.At).Format("15:04:05.000"), h.alias)
	switch {
	case r.Err != nil:
		fmt.Fprintf(&b, " error: %v", r.Err)
	case r.Push != nil:
		fmt.Fprintf(&b, " push of %d bytes", len(r.Push))
	case len(r.Samples) == 0:
		b.WriteString(" no value")
	default:
		p.lastReading.Store(int64(r.At))
	}
	for _, s := range r.Samples {
		fmt.Fprintf(&b, " %s=%v", s.Channel, s.Value)
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Fprintln(d.env.Stdout, b.String())
}
