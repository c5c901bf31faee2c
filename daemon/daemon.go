// Package daemon is the long-running process: configuration, sensors, windows,
// decisions and what becomes of them, life cycle and watchdog.
//
// The data goes one way: sensor → window → regions → fusion.State → Result →
// sinks and API. A recording takes the same way; only its clock differs.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// ErrTryAgain is wrapped when nothing is wrong with the configuration and a
// later start may succeed: no sensor answers, or another daemon has the socket.
var ErrTryAgain = errors.New("try again")

// drainTime bounds what happens between the order to stop and the end.
const drainTime = 5 * time.Second

// Daemon is one configured run.
type Daemon struct {
	config Config
	env    Environment

	system  *systemClock
	started time.Duration

	replay   *sensor.Replay // nil when live
	pollers  []*sensor.Poller
	programs []*sensor.Program
	buses    []*busWatch
	pipeline *pipeline
	outputs  []*output
	judged   []stage     // by the watchdog
	server   *api.Server // nil without an API
	watchdog watchdog
	metrics  *metrics.Set
}

// New checks c, loads the model and the recordings and builds everything up to
// the point where something outside would notice. Errors wrap ErrConfig or
// ErrData.
func New(c Config, env Environment) (*Daemon, error) {
	env.fill()
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := c.CheckFiles(); err != nil && !env.Test {
		return nil, err
	}
	d := &Daemon{config: c, env: env}
	model, features, err := d.model()
	if err != nil {
		return nil, err
	}
	if err := d.buildSources(); err != nil {
		return nil, err
	}
	d.buildBuses()
	if model != nil {
		if err := d.buildModalities(model, features); err != nil {
			return nil, err
		}
	}
	d.buildInlets()
	if env.Once && (model == nil || d.pipeline.onPush) {
		return nil, fmt.Errorf("%w: a single decision needs a model and the trigger tick", ErrConfig)
	}
	d.watchdog = watchdog{
		every: watchdogPeriod(), notify: env.Notify,
		late: d.Live, status: d.statusLine, warn: d.stageChanged,
	}
	return d, nil
}

// model returns the model to run and what it sees; nil without one.
func (d *Daemon) model() (*fusion.Model, encoder.Features, error) {
	if d.env.Test {
		return nil, d.config.Features, nil
	}
	if d.env.Model != nil {
		features, err := settle(d.env.Model, d.config.Features)
		return d.env.Model, features, err
	}
	return d.config.LoadModel()
}

// Run runs until ctx ends or a recording is over, then drains: sensors first,
// then the sinks, then the API, within drainTime. It returns nil for both ends.
// A Daemon runs once.
func (d *Daemon) Run(ctx context.Context) error {
	d.started = d.system.Now()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	if err := d.openOutputs(running, stop); err != nil {
		d.drain()
		return err
	}
	d.judged = d.stages()
	d.metrics = d.newMetrics()
	if err := d.listen(); err != nil {
		d.drain()
		return err
	}
	d.env.Log.Info("started", "sensors", len(d.config.Sensors), "sinks", len(d.outputs), "model", d.config.Agent.Model)

	var sources sync.WaitGroup
	d.startSources(running, stop, &sources)
	go d.announce(running)

	<-running.Done()
	_ = d.env.Notify.Notify("STOPPING=1")
	d.await(&sources)
	d.drain()
	if err := context.Cause(running); !errors.Is(err, errFinished) && ctx.Err() == nil {
		return err
	}
	return d.verdict()
}

// errFinished ends a run that has done what it was started for.
var errFinished = errors.New("finished")

// verdict says whether a run that was to decide or to read once did so.
func (d *Daemon) verdict() error {
	if d.env.Once && d.pipeline.answered.Load() == 0 {
		return fmt.Errorf("%w: no answer: %s", ErrTryAgain, d.pipeline.lastReason())
	}
	if d.env.Test && d.pipeline.lastReading.Load() < 0 {
		return fmt.Errorf("%w: no sensor delivered anything", ErrTryAgain)
	}
	return nil
}

func (d *Daemon) listen() error {
	if len(d.config.API.Listen) == 0 || d.env.Test {
		return nil
	}
	server, err := api.Listen(d.config.API, d, d.env.Log)
	if errors.Is(err, api.ErrInUse) {
		return fmt.Errorf("%w: %w", ErrTryAgain, err)
	}
	if err != nil {
		return err
	}
	d.server = server
	d.pipeline.subscribe(func(r *result.Result) { _ = server.Write(r) })
	return nil
}

// await gives the sources a moment to end. One that hangs in a device is left
// behind: it ends with the process.
func (d *Daemon) await(sources *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		sources.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(drainTime / 5):
		d.env.Log.Warn("a sensor's bus hangs; stopping without it")
	}
}

// drain lets the sinks write what they have and the API answer what it was asked.
func (d *Daemon) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime*7/10)
	defer cancel()
	d.closeOutputs(ctx)
	if d.server != nil {
		if err := d.server.Shutdown(ctx); err != nil {
			d.env.Log.Warn("API closed", "error", err)
		}
	}
}

// Push takes p in: see api.Daemon.
func (d *Daemon) Push(p *api.Push) error { return d.pipeline.Push(p) }

// Decide takes p in and decides at once: see api.Daemon.
func (d *Daemon) Decide(p *api.Push, dst *result.Result) error { return d.pipeline.Decide(p, dst) }
