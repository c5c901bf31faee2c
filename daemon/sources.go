package daemon

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// startSources lets readings come in: one goroutine per bus, the recording being
// one, and one for the ticks of a live run.
func (d *Daemon) startSources(ctx context.Context, stop context.CancelCauseFunc, group *sync.WaitGroup) {
	deliver := d.deliver()
	if d.replay != nil {
		clock := d.pipeline.clock.(*recordedClock)
		group.Go(func() {
			err := d.replay.Run(ctx,
				func(r sensor.Reading) { clock.reach(r.At); deliver(r) },
				func(at time.Duration) { clock.reach(at); d.pipeline.Advance(at) })
			if err == nil {
				err = errFinished
			}
			stop(err)
		})
		return
	}
	d.pipeline.begin()
	for _, poller := range d.pollers {
		group.Go(func() {
			if err := poller.Run(ctx, deliver); err != nil {
				stop(fmt.Errorf("%w: %w", ErrTryAgain, err))
			}
		})
	}
	for _, program := range d.programs {
		group.Go(func() {
			if err := program.Run(ctx, deliver); err != nil {
				stop(fmt.Errorf("%w: %w", ErrTryAgain, err))
			}
		})
	}
	group.Go(func() { d.tick(ctx) })
	if d.env.Test {
		time.AfterFunc(d.testTime(), func() { stop(errFinished) })
	}
}

// deliver is where readings go: into the pipeline, or onto the terminal.
func (d *Daemon) deliver() func(sensor.Reading) {
	if d.env.Test {
		return d.printReading
	}
	return d.pipeline.Deliver
}

// tick calls Advance whenever a tick is due.
func (d *Daemon) tick(ctx context.Context) {
	p := d.pipeline
	for {
		next, ok := p.nextTick()
		if !ok {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next - p.clock.Now()):
			p.Advance(p.clock.Now())
		}
	}
}

// announce tells the service manager that the daemon is ready once every sensor
// that holds up the start has answered or failed, and then feeds its watchdog.
func (d *Daemon) announce(ctx context.Context) {
	var started []<-chan struct{}
	for _, poller := range d.pollers {
		started = append(started, poller.Started())
	}
	for _, program := range d.programs {
		started = append(started, program.Started())
	}
	for _, s := range started {
		select {
		case <-s:
		case <-ctx.Done():
			return
		}
	}
	if err := d.env.Notify.Notify("READY=1"); err != nil {
		d.env.Log.Warn("service manager not told of the start", "error", err)
	}
	d.watchdog.run(ctx)
}

// programSays logs a line that an exec sensor's program wrote to its stderr.
func (d *Daemon) programSays(sensor int, line string) {
	d.env.Log.Warn("program says", "sensor", d.config.Sensors[sensor].Alias, "line", line)
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
