package daemon

import (
	"context"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// startSources lets readings come in: one goroutine per bus or program, the
// recording being one, and one for the ticks of a live run.
func (d *Daemon) startSources(ctx context.Context, stop context.CancelCauseFunc) {
	s := d.current.Load()
	if s.replay != nil {
		d.running.Go(func() {
			err := d.play(ctx, s)
			if err == nil {
				err = errFinished
			}
			stop(err)
		})
		return
	}
	go d.power.run(ctx)
	go d.watchBuses(ctx)
	d.pipeline.begin()
	for _, source := range s.sources {
		d.begin(ctx, stop, source)
	}
	d.running.Go(func() { d.tick(ctx) })
	if d.env.Test {
		time.AfterFunc(d.testTime(), func() { stop(errFinished) })
	}
}

// deliver is where readings go: into the pipeline, or onto the terminal.
func (d *Daemon) deliver() func(*health, sensor.Reading) {
	if d.env.Test {
		return d.printReading
	}
	return d.pipeline.Deliver
}

// tick calls Advance whenever a tick is due.
func (d *Daemon) tick(ctx context.Context) {
	p := d.pipeline
	for {
		var due <-chan time.Time
		if next, ok := p.nextTick(); ok {
			due = time.After(next - p.clock.Now())
		}
		select {
		case <-ctx.Done():
			return
		case <-d.retick: // a reload changed the ticks
		case <-due:
			p.Advance(p.clock.Now())
		}
	}
}

// announce tells the service manager that the daemon is ready once every sensor
// that holds up the start has answered or failed, and then feeds its watchdog.
func (d *Daemon) announce(ctx context.Context) {
	for _, s := range d.current.Load().sources {
		select {
		case <-s.started:
		case <-s.stopped: // a reload took it away
		case <-ctx.Done():
			return
		}
	}
	if err := d.env.Notify.Notify("READY=1"); err != nil {
		d.env.Log.Warn("service manager not told of the start", "error", err)
	}
	d.reloads.announced.Store(true)
	if err := trim(); err != nil {
		d.env.Log.Debug("memory not trimmed", "error", err)
	}
	d.watchdog.run(ctx)
}

// sensorChanged logs what became of a sensor.
func (d *Daemon) sensorChanged(alias string, state sensorState, reason string) {
	if state == up {
		d.env.Log.Info("sensor up", "sensor", alias)
		return
	}
	d.env.Log.Warn("sensor "+state.String(), "sensor", alias, "reason", reason)
}

// stageChanged logs that a stage is late, or that none is any more.
func (d *Daemon) stageChanged(err error) {
	if err != nil {
		d.env.Log.Error("late, the watchdog is not fed", "stage", err)
		return
	}
	d.env.Log.Info("all stages keep their time again")
}
