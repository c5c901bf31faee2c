package daemon

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// source is a goroutine that readings come from: a bus, the program of an exec
// sensor, or the connection to a broker.
type source struct {
	name    string // of the bus, program or broker
	run     func(context.Context, func(sensor.Reading)) error
	started <-chan struct{} // see sensor.Poller.Started
	program *sensor.Program // nil for others
	watch   *busWatch       // nil for a program and a broker
	dropped func() int64    // messages of a broker that found no room; nil for others
	// Its sensors by the index that its readings carry, and their blocks.
	sensors map[int]*health
	configs []sensor.Config

	stop    context.CancelFunc
	stopped <-chan struct{} // closed when it is to end
	done    chan struct{}   // closed when it has ended
	// What has to end before it begins: whoever had its devices before. One that
	// hangs in a device is waited for as long as it takes, since a second call into
	// a stuck device would be stuck too.
	before []<-chan struct{}
}

// same says whether two sources do the same, so that the older one can go on.
func (s *source) same(other *source) bool {
	return s.name == other.name && reflect.DeepEqual(s.configs, other.configs)
}

// buildSources prepares the buses and programs. Those whose blocks are the same as
// in old are old's, and go on.
func (d *Daemon) buildSources(s, old *setup) {
	configs := s.config.Sensors
	if old != nil {
		configs = patient(configs)
	}
	says := func(i int, line string) {
		d.env.Log.Warn("program says", "sensor", configs[i].Alias, "line", line)
	}
	for _, p := range sensor.NewPollers(configs, d.system.Now, d.env.Hardware) {
		source := s.newSource(p.Bus(), p.Sensors()...)
		source.run, source.started = p.Run, p.Started()
		source.watch = newBusWatch(p, source.sensors)
		s.sources = append(s.sources, source)
	}
	for _, p := range sensor.NewPrograms(configs, d.system.Now, d.env.Hardware, says) {
		source := s.newSource("program of "+configs[p.Sensor()].Alias, p.Sensor())
		source.run, source.started, source.program = p.Run, p.Started(), p
		s.sources = append(s.sources, source)
	}
	for _, b := range sensor.NewSubscribers(configs, d.system.Now) {
		source := s.newSource(b.Name(), b.Sensors()...)
		source.run, source.started, source.dropped = b.Run, b.Started(), b.Dropped
		s.sources = append(s.sources, source)
	}
	for i, source := range s.sources {
		if old != nil {
			for _, o := range old.sources {
				if o.same(source) {
					s.sources[i] = o
				}
			}
		}
		if w := s.sources[i].watch; w != nil {
			s.buses = append(s.buses, w)
		}
	}
}

func (s *setup) newSource(name string, indices ...int) *source {
	source := &source{name: name, sensors: map[int]*health{}, done: make(chan struct{})}
	for _, i := range indices {
		source.sensors[i] = s.sensors[i]
		source.configs = append(source.configs, s.config.Sensors[i])
	}
	return source
}

// patient returns the blocks with startup_error = "error" as "retry": what holds
// at the start of the daemon must not end it at a reload.
func patient(configs []sensor.Config) []sensor.Config {
	configs = slices.Clone(configs)
	for i := range configs {
		if configs[i].StartupError == sensor.StartupFail {
			configs[i].StartupError = sensor.StartupRetry
		}
	}
	return configs
}

// begin runs a source until ctx ends or it is stopped.
func (d *Daemon) begin(ctx context.Context, fail context.CancelCauseFunc, s *source) {
	ctx, s.stop = context.WithCancel(ctx)
	s.stopped = ctx.Done()
	deliver := d.deliver()
	d.running.Go(func() {
		defer close(s.done)
		for _, before := range s.before {
			select {
			case <-before:
			case <-ctx.Done():
				return
			}
		}
		if s.watch != nil {
			s.watch.before.Store(nil)
		}
		err := s.run(ctx, func(r sensor.Reading) {
			if r.Push != nil && !d.env.Test {
				r.Err = d.takePush(r.Push)
			}
			deliver(s.sensors[r.Sensor], r)
		})
		if err != nil {
			fail(fmt.Errorf("%w: %w", ErrTryAgain, err))
		}
	})
}

// follow makes s begin only when older, which had the same devices, has ended.
func (s *source) follow(older *source) {
	if s.watch != nil && older.watch != nil {
		before := older.watch.before.Load()
		if before == nil {
			before = older.watch
		}
		s.watch.before.Store(before)
	}
	for _, c := range append(slices.Clip(older.before), older.done) {
		select {
		case <-c:
		default:
			s.before = append(s.before, c)
		}
	}
}
