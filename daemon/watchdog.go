package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// watchdog feeds the service manager's watchdog as long as every stage keeps its
// time, four times in each period, and tells it the daemon's status in words.
type watchdog struct {
	every  time.Duration // between checks
	notify Notifier
	late   func() error  // the first stage that is over its time
	status func() string // one line for STATUS=
	warn   func(error)   // a stage became late; nil error: all keep their time again
	fed    atomic.Int64
}

// statusEvery is how often the status line is renewed when no watchdog is set.
const statusEvery = 10 * time.Second

// watchdogPeriod returns a quarter of the period that systemd's WatchdogSec=
// asks for.
func watchdogPeriod() time.Duration {
	period, err := daemon.SdWatchdogEnabled(false)
	if err != nil || period <= 0 {
		return statusEvery
	}
	return period / 4
}

// run feeds until ctx ends. It never feeds while a stage is late: then systemd
// kills and restarts the daemon, which is what a stuck daemon needs.
func (w *watchdog) run(ctx context.Context) {
	t := time.NewTicker(w.every)
	defer t.Stop()
	var failed bool
	for {
		err := w.late()
		if err == nil {
			if w.notify.Notify("WATCHDOG=1\nSTATUS="+w.status()) == nil {
				w.fed.Add(1)
			}
		}
		if (err != nil) != failed {
			failed = err != nil
			w.warn(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
