package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
)

// reloads lets one reload happen at a time, and keeps what became of them.
type reloads struct {
	mu        sync.Mutex // held during a reload
	ctx       context.Context
	stop      context.CancelCauseFunc // nil while the daemon does not run
	announced atomic.Bool             // the service manager knows of the start

	done, failed atomic.Int64
	last         atomic.Pointer[string] // why the newest reload failed; nil: it did not
	at, wall     atomic.Int64           // of the newest good one: nanoseconds, monotonic and Unix
}

// allow lets reloads happen while ctx lasts, and makes the start count as a good
// one.
func (r *reloads) allow(ctx context.Context, stop context.CancelCauseFunc, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.stop = ctx, stop
	r.note(nil, now)
}

// refuse waits for a reload under way and lets no other begin.
func (r *reloads) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = nil
}

// lastError says in one line why the newest reload failed, "" when it did not.
func (r *reloads) lastError() string {
	if text := r.last.Load(); text != nil {
		return *text
	}
	return ""
}

// succeeded is when the newest good configuration came into force, in seconds
// since 1970.
func (r *reloads) succeeded() float64 { return float64(r.wall.Load()) / 1e9 }

func (r *reloads) note(err error, now time.Duration) {
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		r.last.Store(&text)
		r.failed.Add(1)
		return
	}
	r.last.Store(nil)
	r.at.Store(int64(now))
	r.wall.Store(time.Now().UnixNano())
}

func (r *reloads) status(now time.Duration) api.ConfigStatus {
	return api.ConfigStatus{
		Reloads: r.done.Load(), Failed: r.failed.Load(), LastError: r.lastError(),
		AgeS: (now - time.Duration(r.at.Load())).Seconds(),
	}
}

var errNoConfig = errors.New("this run has no configuration file to read again")

// Reload reads the configuration and the model again and puts them in force: it
// checks and builds them, swaps them in between two readings, and lets what they
// replace drain. With an error everything is as it was. Errors wrap ErrConfig,
// ErrData, or api.ErrNotReady when the daemon is starting or stopping.
func (d *Daemon) Reload() error {
	r := &d.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop == nil {
		return fmt.Errorf("%w: starting or stopping", api.ErrNotReady)
	}
	if r.announced.Load() {
		// systemd counts in microseconds of the monotonic clock, as the system clock does.
		d.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", d.system.Now().Microseconds()))
	}
	begun := time.Now()
	err := d.reload()
	r.done.Add(1)
	r.note(err, d.system.Now())
	if r.announced.Load() {
		d.notify("READY=1\nSTATUS=" + d.statusLine())
	}
	if err != nil {
		d.env.Log.Error("reload failed, the old configuration stays", "error", err)
		return err
	}
	s := d.current.Load()
	d.env.Log.Info("reloaded", "sensors", len(s.sensors), "sinks", len(s.outputs), "model", s.config.Agent.Model,
		"took", time.Since(begun).Round(time.Millisecond))
	return nil
}

func (d *Daemon) reload() error {
	if d.env.Load == nil {
		return fmt.Errorf("%w: %w", ErrConfig, errNoConfig)
	}
	c, err := d.env.Load()
	if err != nil {
		return err
	}
	old := d.current.Load()
	next, err := d.build(c, old)
	if err != nil {
		return err
	}
	begin := make(chan struct{})
	defer close(begin)
	err = d.openOutputs(d.reloads.ctx, next, old, begin)
	if err == nil {
		err = d.changeAPI(next)
	}
	if err != nil {
		d.closeReplaced(next, old)
		return err
	}
	next.judged = d.stages(next)
	next.metrics = next.newMetrics(d.pipeline)
	d.current.Store(next)
	d.replaceSources(next, old)
	select {
	case d.retick <- struct{}{}:
	default:
	}
	d.closeReplaced(old, next)
	return nil
}

// changeAPI swaps next in, with its API: both or neither.
func (d *Daemon) changeAPI(next *setup) error {
	change, err := d.server.Prepare(next.config.API)
	if err != nil {
		return fmt.Errorf("%w: api: %w", ErrConfig, err)
	}
	if err := d.pipeline.swap(next.wiring); err != nil {
		change.Undo()
		return err
	}
	change.Commit()
	return nil
}

// replaceSources stops the sources that only old has and begins those that only
// next has, each after the one that had its devices before.
func (d *Daemon) replaceSources(next, old *setup) {
	for _, o := range old.sources {
		if slices.Contains(next.sources, o) {
			continue
		}
		o.stop()
		for _, n := range next.sources {
			if n.name == o.name {
				n.follow(o)
			}
		}
	}
	for _, n := range next.sources {
		if !slices.Contains(old.sources, n) {
			d.begin(d.reloads.ctx, d.reloads.stop, n)
		}
	}
}

// handOver bounds how long what a reload replaces may drain. Together with the
// drain of a daemon that is stopped meanwhile it must fit the unit's TimeoutStopSec.
const handOver = 2 * time.Second

// closeReplaced lets the outputs of s that other does not have write what they
// hold, and closes them.
func (d *Daemon) closeReplaced(s, other *setup) {
	var gone []*output
	for _, o := range s.outputs {
		if !other.writes(o.queue) {
			gone = append(gone, o)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOver)
	defer cancel()
	d.closeEnds(ctx, s, other, gone)
}

// watchEvery is how often the configuration's files are looked at.
const watchEvery = 2 * time.Second

// obey reloads whenever a hangup asks for it, and when the files have changed and
// stood still for a while, since editors and copies write in several steps.
func (d *Daemon) obey(ctx context.Context) {
	var look <-chan time.Time
	var seen, loaded string
	if d.env.Watch != nil {
		t := time.NewTicker(watchEvery)
		defer t.Stop()
		look = t.C
		seen = d.env.Watch()
		loaded = seen
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.env.Hangup:
			_ = d.Reload() // it says itself what became of it
		case <-look:
			before := seen
			if seen = d.env.Watch(); seen == before && seen != loaded {
				loaded = seen
				_ = d.Reload()
			}
		}
	}
}

func (d *Daemon) notify(state string) {
	if err := d.env.Notify.Notify(state); err != nil {
		d.env.Log.Warn("service manager not told of the reload", "error", err)
	}
}
