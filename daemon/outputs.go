package daemon

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// output is one sink at work.
type output struct {
	name   string
	kind   string
	config sink.Config       // with its defaults
	about  sink.Announcement // what it tells Home Assistant, if it does
	queue  sink.Output
	mqtt   *sink.MQTT // the same, nil for another kind
	thin   *thinning  // nil: it gets every Result
}

// openOutputs starts the sinks of s. Those that are the same in old, which may be
// nil, go on. The others write nothing before begin is closed; nil is at once.
func (d *Daemon) openOutputs(ctx context.Context, s, old *setup, begin <-chan struct{}) error {
	if d.env.Test {
		return nil
	}
	d.openRecorder(s, old)
	for i, c := range s.config.Sinks {
		o := &output{name: fmt.Sprintf("%s-%d", c.Type, i+1), kind: c.Type, config: c.WithDefaults()}
		if c.HomeAssistant {
			o.about = d.announcement(s, &o.config)
		}
		if !o.takeOver(s, old) {
			if err := d.openOutput(o, s, begin); err != nil {
				return err
			}
		}
		s.outputs = append(s.outputs, o)
		s.sinks = append(s.sinks, s.offer(ctx, o))
	}
	return nil
}

// takeOver makes o go on as one of old's outputs that is the same.
func (o *output) takeOver(s, old *setup) bool {
	if old == nil {
		return false
	}
	for _, other := range old.outputs {
		if o.config == other.config && reflect.DeepEqual(o.about, other.about) && !s.writes(other.queue) {
			o.queue, o.mqtt, o.thin = other.queue, other.mqtt, other.thin
			return true
		}
	}
	return false
}

// writes says whether s has an output.
func (s *setup) writes(queue sink.Output) bool {
	return slices.ContainsFunc(s.outputs, func(o *output) bool { return o.queue == queue })
}

func (d *Daemon) openOutput(o *output, s *setup, begin <-chan struct{}) error {
	if o.config.Publish == sink.Changed {
		o.thin = &thinning{every: o.config.AtLeastEvery.Std()}
	}
	if o.kind == sink.KindMQTT {
		client, err := sink.NewMQTT(o.config, d.announcement(s, &o.config), d.labelChosen, d.env.Log.With("sink", o.name), begin)
		if err != nil {
			return fmt.Errorf("%w: sink %s: %w", ErrConfig, o.name, err)
		}
		o.queue, o.mqtt = client, client
		return nil
	}
	to := sink.New(o.config, mqtt.ThisBoard(), d.env.Stdout, sink.OS{})
	if begin != nil {
		to = &patientSink{to, begin}
	}
	o.queue = sink.NewQueue(to, o.config.Queue, d.system.Now)
	return nil
}

// patientSink writes nothing before begin is closed.
type patientSink struct {
	sink.Sink
	begin <-chan struct{}
}

func (s *patientSink) Write(r *result.Result) error {
	<-s.begin
	return s.Sink.Write(r)
}

// announcement is what a sink may tell about the board and its model.
func (d *Daemon) announcement(s *setup, c *sink.Config) sink.Announcement {
	a := sink.Announcement{Board: mqtt.ThisBoard(), Version: d.env.Version, Every: s.every}
	a.Readings = s.announcedReadings()
	if s.every > 0 { // else nothing is due
		a.Every = max(s.every, c.AtLeastEvery.Std())
	}
	if s.mind == nil {
		return a
	}
	a.Labels = s.mind.labels
	a.Labelled = s.config.Record.On() && s.replay == nil
	if s.mind.task == fusion.Regress {
		a.Values = s.mind.model.Config.Head.Outputs
	}
	for _, m := range s.modalities {
		a.Modalities = append(a.Modalities, m.name)
	}
	return a
}

// labelChosen writes what somebody chose at a sink into the recording, from that
// moment on; empty ends what was chosen before.
func (d *Daemon) labelChosen(ctx context.Context, label string, at time.Time) error {
	return d.Label(ctx, &api.Label{Label: label, From: at, Source: "homeassistant"})
}

// offer returns how Results get into an output: live they never wait, and a full
// one makes room; a recording waits, so that no Result of it is lost.
func (s *setup) offer(ctx context.Context, o *output) func(*result.Result) {
	offer := o.queue.Offer
	if s.replay != nil {
		offer = func(r *result.Result) { _ = o.queue.OfferWait(ctx, r) }
	}
	if o.thin == nil {
		return offer
	}
	return func(r *result.Result) {
		if o.thin.passes(r) {
			offer(r)
		}
	}
}

// closeEnds closes outputs of s, and its recording unless other, which may be nil,
// goes on with it: all at once, so that one that hangs takes none of the others' time.
func (d *Daemon) closeEnds(ctx context.Context, s, other *setup, outputs []*output) {
	var all sync.WaitGroup
	all.Go(func() { d.closeRecorder(ctx, s, other) })
	for _, o := range outputs {
		all.Go(func() {
			if err := o.queue.Close(ctx); err != nil {
				d.env.Log.Warn("sink closed", "sink", o.name, "error", err)
			}
		})
	}
	all.Wait()
}
