package daemon

import (
	"context"
	"fmt"
	"sync"

	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// output is one sink at work.
type output struct {
	name  string
	kind  string
	queue sink.Output
	mqtt  *sink.MQTT // the same, nil for another kind
}

// openOutputs starts the sinks and connects them to the pipeline.
func (d *Daemon) openOutputs(ctx context.Context, stop context.CancelCauseFunc) error {
	p := d.pipeline
	if d.env.OnResult != nil {
		p.subscribe(d.env.OnResult)
	}
	if !d.env.Test {
		for i, c := range d.config.Sinks {
			o, err := d.openOutput(fmt.Sprintf("%s-%d", c.Type, i+1), c.WithDefaults())
			if err != nil {
				return err
			}
			d.outputs = append(d.outputs, o)
			p.subscribe(d.offer(ctx, o.queue))
		}
	}
	if d.env.Once {
		p.subscribe(func(*result.Result) { stop(errFinished) })
	}
	return nil
}

func (d *Daemon) openOutput(name string, c sink.Config) (*output, error) {
	o := &output{name: name, kind: c.Type}
	if c.Type == sink.KindMQTT {
		mqtt, err := sink.NewMQTT(c, d.announcement(), d.env.Log.With("sink", name))
		if err != nil {
			return nil, fmt.Errorf("%w: sink %s: %w", ErrConfig, name, err)
		}
		o.queue, o.mqtt = mqtt, mqtt
		return o, nil
	}
	o.queue = sink.NewQueue(sink.New(c, d.env.Stdout, sink.OS{}), c.Queue, d.system.Now)
	return o, nil
}

// announcement is what sinks may tell about the board and its model.
func (d *Daemon) announcement() sink.Announcement {
	p := d.pipeline
	a := sink.Announcement{Board: sink.ThisBoard(), Version: d.env.Version, Every: p.every}
	if p.mind == nil {
		return a
	}
	a.Labels = p.mind.labels
	if p.mind.task == fusion.Regress {
		a.Values = p.mind.model.Config.Head.Outputs
	}
	for _, m := range p.modalities {
		a.Modalities = append(a.Modalities, m.name)
	}
	return a
}

// offer returns how Results get into an output: live they never wait, and a full
// one makes room; a recording waits, so that no Result of it is lost.
func (d *Daemon) offer(ctx context.Context, o sink.Output) func(*result.Result) {
	if d.replay == nil {
		return o.Offer
	}
	return func(r *result.Result) { _ = o.OfferWait(ctx, r) }
}

// closeOutputs closes all outputs at once, so that one that hangs takes none of
// the others' time.
func (d *Daemon) closeOutputs(ctx context.Context) {
	var all sync.WaitGroup
	for _, o := range d.outputs {
		all.Go(func() {
			if err := o.queue.Close(ctx); err != nil {
				d.env.Log.Warn("sink closed", "sink", o.name, "error", err)
			}
		})
	}
	all.Wait()
}
