package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// openRecorder starts the recording that s asks for, or lets the one of old, which
// may be nil, go on.
func (d *Daemon) openRecorder(s, old *setup) {
	c := s.config.Record
	if d.env.Test || !c.On() {
		return
	}
	run := record.Run{
		Version: d.env.Version, BootID: d.pipeline.clock.BootID(), KernelSet: d.env.KernelSet,
		Model: s.result.Model, Tick: s.every,
	}
	for i := range s.config.Sensors {
		b := &s.config.Sensors[i]
		run.Sensors = append(run.Sensors, record.Sensor{Alias: b.Alias, Type: b.Type, Channels: slices.Clone(s.channels(i))})
	}
	var before *record.Recorder
	if old != nil {
		before = old.record
	}
	if before != nil && before.Records(c, run) {
		s.record = before
		return
	}
	s.record = record.New(c, run, d.pipeline.clock, d.env.Disk, d.env.Log, before)
}

// closeRecorder ends the recording of s unless other, which may be nil, goes on
// with it.
func (d *Daemon) closeRecorder(ctx context.Context, s, other *setup) {
	r := s.record
	if r == nil || other != nil && other.record == r {
		return
	}
	if err := r.Close(ctx); err != nil {
		d.env.Log.Warn("recording closed", "error", err)
	}
}

// keepReading records what a sensor delivered.
func (p *pipeline) keepReading(h *health, r *sensor.Reading) {
	if p.record == nil {
		return
	}
	index, reason := slices.Index(p.sensors, h), ""
	if index < 0 {
		return // of a configuration that is no longer in force
	}
	if r.Err != nil {
		reason = r.Err.Error()
	}
	p.record.Reading(index, r.At, r.Samples, sensor.Fault(r.Err), reason)
}

// alarm lets a flight be written when a sensor that worked is down.
func (p *pipeline) alarm(h *health, at time.Duration) {
	if p.record != nil && h.now() == down && h.lastGood >= 0 {
		p.record.Alarm(record.SensorDown, h.reason, at)
	}
}

// recall takes in what an MCAP recording says was true at a moment. Decisions do so as
// well as what comes in: a label may begin, and end, between two readings.
func (p *pipeline) recall(at time.Duration) {
	if p.labels != nil {
		p.keepTruth(at, p.labels(at))
	}
}

// keepTruth takes in what a recording that is replayed says was true from a moment on,
// and records it when that is something else than before.
func (p *pipeline) keepTruth(at time.Duration, label string) {
	if p.record != nil && label != p.truth && p.record.Wants(at) {
		p.record.Mark(at, &record.Label{Label: label, From: at, Source: "replay"})
	}
	p.truth = label
}

// keepPush records a push that was taken in at a moment.
func (p *pipeline) keepPush(push *api.Push, now time.Duration) {
	if p.record == nil || !p.record.Wants(now) {
		return
	}
	var regions []record.Regions
	for _, r := range push.Regions {
		regions = append(regions, record.Regions{
			Modality: r.Modality, At: now - push.Age, TTL: push.TTL, Rows: r.Rows, Features: r.Features, Data: r.Data,
		})
	}
	var samples []record.Pushed
	for i := range push.Samples {
		s := &push.Samples[i]
		in := p.inlets[s.Channel]
		samples = append(samples, record.Pushed{
			Channel: in.channel, Sensor: in.sensor, At: p.momentOf(s, now, push.Age), Value: s.Value,
		})
	}
	p.record.Push(now, regions, samples)
}

// repush takes in a push that a recording holds, and decides as Push does unless the
// recording says when. What the model does not have, or has in another size, is left
// out.
func (p *pipeline) repush(e *record.Event) {
	p.enter()
	defer p.leave()
	p.start(e.At)
	p.tick(e.At - 1)
	p.lastIn = time.Now()
	p.recall(e.At)
	p.heard(p.retake(e))
	if p.onPush && !p.asRecorded && p.decides() {
		p.decide(e.At)
	}
}

// retake does so without the pipeline's lock, and says when that was true.
func (p *pipeline) retake(e *record.Event) (newest time.Duration) {
	newest = e.At
	for i := range e.Regions {
		r := &api.Regions{Modality: e.Regions[i].Modality, Rows: e.Regions[i].Rows, Features: e.Regions[i].Features, Data: e.Regions[i].Data}
		newest = e.Regions[i].At
		if p.checkRegions(r) == nil {
			p.modality(r.Modality).receive(r, e.Regions[i].At, e.Regions[i].TTL)
		}
	}
	for _, s := range e.Pushed {
		in := inlet{channel: s.Channel, sensor: s.Sensor}
		if in.sensor >= len(p.sensors) {
			in.sensor = -1
		}
		p.inject(in, s.At, s.Value)
	}
	return newest
}

// redecide decides at the moment of a recorded decision, and gives the Result its
// number.
func (p *pipeline) redecide(e *record.Event) {
	p.enter()
	defer p.leave()
	p.start(e.At)
	if p.asRecorded && p.decides() && !(p.once && p.decided.Load() > 0) {
		p.result.Seq = e.Seq - 1
		p.decide(e.At)
	}
	for _, m := range p.modalities {
		m.hung = ""
	}
}

// hang masks a modality at the next decision, as a bus that hung did then.
func (p *pipeline) hang(e *record.Event) {
	p.enter()
	defer p.leave()
	if m := p.modality(e.Modality); m != nil && p.asRecorded {
		m.hung = e.Reason
	}
}

// play lets the replay of s run to its end.
func (d *Daemon) play(ctx context.Context, s *setup) error {
	p, deliver := d.pipeline, d.deliver()
	clock := p.clock.(*recordedClock)
	taken := func(r sensor.Reading) {
		clock.reach(r.At)
		deliver(s.sensors[r.Sensor], r)
		if s.record != nil {
			s.record.Room(ctx)
		}
	}
	advance := func(at time.Duration) { clock.reach(at); p.Advance(at) }
	if s.replay.Tape() == nil {
		return s.replay.Run(ctx, taken, advance)
	}
	p.hush(s.replay.Tape().Before > 0)
	return s.replay.RunTape(ctx, sensor.Listener{
		Deliver: taken, Advance: advance, Begin: func() { p.hush(false) },
		Push:    func(e *record.Event) { clock.reach(e.At); p.repush(e) },
		Hung:    p.hang,
		Decided: func(e *record.Event) { clock.reach(e.At); p.redecide(e) },
	})
}

// hush makes the pipeline decide for nobody, so that windows fill, or ends that.
func (p *pipeline) hush(quiet bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quiet = quiet
}

// followsTape says whether the decisions of a recording are made again: it has
// some, at the same tick.
func (s *setup) followsTape() bool {
	tape := s.replay.Tape()
	return tape != nil && tape.Tick == s.every && tape.Decides()
}

var errNoRecording = errors.New("nothing is recorded here: set record.when in the configuration")

// Flight lets what is kept in memory be written: see api.Daemon.
func (d *Daemon) Flight(reason string) error {
	r := d.current.Load().record
	if r == nil {
		return fmt.Errorf("%w: %w", api.ErrNotReady, errNoRecording)
	}
	err := r.Flight(reason)
	switch {
	case errors.Is(err, record.ErrTooSoon):
		return fmt.Errorf("%w: %w", api.ErrFull, err)
	case err != nil:
		return fmt.Errorf("%w: %w", api.ErrNotReady, err)
	}
	return nil
}

// flyOnSignal lets a flight be written whenever a signal asks for it.
func (d *Daemon) flyOnSignal(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.env.Flight:
			if err := d.Flight("signal"); err != nil {
				d.env.Log.Warn("no flight written", "error", err)
			}
		}
	}
}

// Label writes a label into the recording: see api.Daemon.
func (d *Daemon) Label(ctx context.Context, l *api.Label) error {
	r := d.current.Load().record
	if r == nil {
		return fmt.Errorf("%w: %w", api.ErrNotReady, errNoRecording)
	}
	clock := d.pipeline.clock
	now := clock.Now()
	moment := func(t time.Time) time.Duration { return now - clock.Wall(now).Sub(t) }
	out := record.Label{Label: l.Label, From: now, Source: l.Source}
	if !l.From.IsZero() {
		out.From = moment(l.From)
	}
	if !l.To.IsZero() {
		out.Until, out.To = true, moment(l.To)
		if out.To <= out.From {
			return fmt.Errorf("%w: to is not after from", api.ErrRequest)
		}
	}
	d.pipeline.release()
	return r.Label(ctx, &out)
}

// Record starts or stops the recording: see api.Daemon.
func (d *Daemon) Record(on bool) error {
	r := d.current.Load().record
	switch {
	case r == nil:
		return fmt.Errorf("%w: %w", api.ErrNotReady, errNoRecording)
	case on:
		r.Start()
	default:
		r.Stop()
	}
	return nil
}

// recordStatus describes the recording, nil when there is none.
func (s *setup) recordStatus(now time.Duration) *api.RecordStatus {
	r := s.record
	if r == nil {
		return nil
	}
	n := r.Stats()
	out := &api.RecordStatus{
		Active: r.Active(now), Records: n.Records, Dropped: n.Dropped, Errors: n.Errors,
		Bytes: n.Bytes, Segments: n.Segments, Removed: n.Removed, Aside: n.Aside, Damaged: n.Damaged,
		Label: r.Running(now), OverBudget: r.OverBudget(now), Flights: n.Flights, Forgotten: n.Forgotten,
	}
	if err := r.LastError(); err != nil {
		out.LastError = err.Error()
	}
	return out
}

// recordMetrics registers the counters of the recording.
func (s *setup) recordMetrics(gauge func(string, func() float64), now func() time.Duration) {
	r := s.record
	if r == nil {
		return
	}
	count := func(name string, f func(record.Stats) int64) {
		gauge(name, func() float64 { return float64(f(r.Stats())) })
	}
	gauge("ragedge_recording_active", func() float64 { return oneIf(r.Active(now())) })
	gauge("ragedge_recording_paused", func() float64 { return oneIf(r.LastError() != nil) })
	gauge("ragedge_recording_over_budget", func() float64 { return oneIf(r.OverBudget(now())) })
	count("ragedge_recording_flights_total", func(n record.Stats) int64 { return n.Flights })
	count("ragedge_recording_forgotten_total", func(n record.Stats) int64 { return n.Forgotten })
	count("ragedge_recording_records_total", func(n record.Stats) int64 { return n.Records })
	count("ragedge_recording_dropped_total", func(n record.Stats) int64 { return n.Dropped })
	count("ragedge_recording_errors_total", func(n record.Stats) int64 { return n.Errors })
	count("ragedge_recording_written_bytes_total", func(n record.Stats) int64 { return n.Bytes })
	count("ragedge_recording_segments_total", func(n record.Stats) int64 { return n.Segments })
	count("ragedge_recording_removed_total", func(n record.Stats) int64 { return n.Removed })
	count("ragedge_recording_quarantined_total", func(n record.Stats) int64 { return n.Aside })
	count("ragedge_recording_damaged_chunks_total", func(n record.Stats) int64 { return n.Damaged })
}
