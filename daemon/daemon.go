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
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// ErrTryAgain is wrapped when nothing is wrong with the configuration and a
// later start may succeed: no sensor answers, or another daemon has the socket.
var ErrTryAgain = errors.New("try again")

// drainTime bounds what happens between the order to stop and the end.
const drainTime = 5 * time.Second

// Daemon is one run.
type Daemon struct {
	env      Environment
	system   *systemClock
	started  time.Duration
	pipeline *pipeline
	current  atomic.Pointer[setup] // what is in force
	server   *api.Server           // serves nowhere without an API
	watchdog watchdog
	power    *powerWatch  // nil in a replay
	metrics  *metrics.Set // of what outlives a setup
	retick   chan struct{}
	reloads  reloads
	running  sync.WaitGroup // the sources
}

// New checks c, loads the model and the recordings and builds everything up to
// the point where something outside would notice. Errors wrap ErrConfig or
// ErrData.
func New(c Config, env Environment) (*Daemon, error) {
	env.fill()
	d := &Daemon{env: env, system: newSystemClock(), retick: make(chan struct{}, 1)}
	s, err := d.build(c, nil)
	if err != nil {
		return nil, err
	}
	var clock Clock = d.system
	var labels func(time.Duration) string
	s.result.Clock = &d.system.set
	if s.replay != nil {
		played := &recordedClock{start: s.replay.Start()}
		if tape := s.replay.Tape(); tape != nil {
			played.boot, played.dated, labels = tape.BootID, tape.Wall, tape.Truth
		}
		clock = played
	}
	s.result.BootID = clock.BootID()
	d.pipeline = &pipeline{
		clock:   clock,
		real:    d.system,
		once:    env.Once,
		changed: d.sensorChanged,
		labels:  labels,
		wiring:  s.wiring,
	}
	if clock.Live() && !env.Test {
		d.power = &powerWatch{read: newBoard(machine).read, now: d.system.Now, change: d.powerChanged}
		d.pipeline.power = d.power
	}
	d.pipeline.lastAnswer.Store(-1)
	d.pipeline.lastReading.Store(-1)
	d.current.Store(s)
	d.watchdog = watchdog{
		every: watchdogPeriod(), notify: env.Notify,
		late: d.Live, status: d.statusLine, warn: d.stageChanged,
	}
	return d, nil
}

// model returns the model that c names and what it sees; nil without one.
func (d *Daemon) model(c Config) (*fusion.Model, encoder.Features, error) {
	if d.env.Test {
		return nil, c.Features, nil
	}
	if d.env.Model != nil {
		features, err := settle(d.env.Model, c.Features)
		return d.env.Model, features, err
	}
	return c.LoadModel()
}

// Run runs until ctx ends or a recording is over, then drains: sensors first,
// then the API, then the sinks, within drainTime. It returns nil for both ends.
// A Daemon runs once.
func (d *Daemon) Run(ctx context.Context) error {
	d.started = d.system.Now()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	if err := d.open(running, stop); err != nil {
		d.drain()
		return err
	}
	if err := d.listen(); err != nil {
		d.drain()
		return err
	}
	s := d.current.Load()
	d.env.Log.Info("started", "sensors", len(s.sensors), "sinks", len(s.outputs), "model", s.config.Agent.Model)

	d.startSources(running, stop)
	d.reloads.allow(running, stop, d.started)
	go d.announce(running)
	go d.obey(running)
	go d.flyOnSignal(running)

	<-running.Done()
	d.reloads.refuse()
	_ = d.env.Notify.Notify("STOPPING=1")
	d.await()
	d.drain()
	if err := context.Cause(running); !errors.Is(err, errFinished) && ctx.Err() == nil {
		return err
	}
	return d.verdict()
}

// open starts the sinks and what counts and judges.
func (d *Daemon) open(ctx context.Context, stop context.CancelCauseFunc) error {
	p, s := d.pipeline, d.current.Load()
	if d.env.OnResult != nil {
		p.subscribe(d.env.OnResult)
	}
	if err := d.openOutputs(ctx, s, nil, nil); err != nil {
		return err
	}
	p.mu.Lock()
	p.sinks, p.record = s.sinks, s.record
	p.mu.Unlock()
	if d.env.Once {
		p.subscribe(func(*result.Result) { stop(errFinished) })
	}
	s.judged = d.stages(s)
	d.metrics = d.newMetrics()
	s.metrics = s.newMetrics(p)
	return nil
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
	c := d.current.Load().config.API
	if d.env.Test {
		c.Listen = nil
	}
	server, err := api.Listen(c, d, d.env.Log)
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
func (d *Daemon) await() {
	ended := make(chan struct{})
	go func() {
		d.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(drainTime / 5):
		d.env.Log.Warn("a sensor's bus hangs; stopping without it")
	}
}

// drain lets the API answer what it was asked, and then the sinks and the recording
// write what they have: in this order, since what was acknowledged is not to be lost.
func (d *Daemon) drain() {
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime/5)
		defer cancel()
		if err := d.server.Shutdown(ctx); err != nil {
			d.env.Log.Warn("API closed", "error", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime/2)
	defer cancel()
	s := d.current.Load()
	d.closeEnds(ctx, s, nil, s.outputs)
}

// Push takes p in: see api.Daemon.
func (d *Daemon) Push(p *api.Push) error { return d.pipeline.Push(p) }

// Decide takes p in and decides at once: see api.Daemon.
func (d *Daemon) Decide(p *api.Push, dst *result.Result) error { return d.pipeline.Decide(p, dst) }
