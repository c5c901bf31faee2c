package daemon

import (
	"fmt"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
)

// inlet is where a pushed sample of some name goes.
type inlet struct {
	channel string
	sensor  int    // its push sensor, -1 when none is configured for it
	owner   string // the live sensor that delivers this channel: pushing is refused
}

// maxAhead is how far in the future the time of a pushed sample may lie: clocks
// of different machines disagree a little. Such a sample counts as of now.
const maxAhead = time.Minute

// Push takes p in as a whole, or with an error not at all. With the push trigger
// it decides at once.
func (p *pipeline) Push(push *api.Push) error {
	p.enter()
	defer p.leave()
	if err := p.accept(push); err != nil {
		return err
	}
	if p.onPush && p.decides() {
		p.decide(p.clock.Now())
	}
	return nil
}

// Decide takes push in, decides at once and copies the Result to dst.
func (p *pipeline) Decide(push *api.Push, dst *result.Result) error {
	p.enter()
	defer p.leave()
	if p.mind == nil {
		return fmt.Errorf("%w: %w", api.ErrNotReady, errNoModel)
	}
	if err := p.accept(push); err != nil {
		return err
	}
	p.decide(p.clock.Now())
	p.result.CopyTo(dst)
	return nil
}

// accept checks all of push, then applies all of it. Ticks that are due are
// decided first: they do not see what came after them.
func (p *pipeline) accept(push *api.Push) error {
	now := p.clock.Now()
	for i := range push.Regions {
		if err := p.checkRegions(&push.Regions[i]); err != nil {
			return err
		}
	}
	for i := range push.Samples {
		if err := p.checkSample(&push.Samples[i], now); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	in := time.Now()
	p.tick(now - 1)
	p.lastIn = in
	for i := range push.Regions {
		r := &push.Regions[i]
		p.modality(r.Modality).receive(r, now-push.Age, push.TTL)
	}
	for i := range push.Samples {
		s := &push.Samples[i]
		p.inject(p.inlets[s.Channel], p.momentOf(s, now, push.Age), s.Value)
	}
	p.keepPush(push, now)
	p.heard(now - push.Age)
	return nil
}

// takePush takes in a push that came as a reading, in the JSON form of the API.
func (d *Daemon) takePush(body []byte) error {
	push, err := api.DecodeJSON(body)
	if err != nil {
		return err
	}
	return d.pipeline.Push(push)
}

func (p *pipeline) modality(name string) *modality {
	for _, m := range p.modalities {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (p *pipeline) checkRegions(r *api.Regions) error {
	m := p.modality(r.Modality)
	switch {
	case m == nil:
		return fmt.Errorf("%w: modality %s", api.ErrUnknown, r.Modality)
	case r.Rows > m.regions:
		return fmt.Errorf("%w: modality %s: %d rows, at most %d", api.ErrInvalid, m.name, r.Rows, m.regions)
	case r.Rows > 0 && r.Features != m.features:
		return fmt.Errorf("%w: modality %s: %d features, want %d", api.ErrInvalid, m.name, r.Features, m.features)
	}
	return nil
}

func (p *pipeline) checkSample(s *api.Sample, now time.Duration) error {
	in, ok := p.inlets[s.Channel]
	switch {
	case !ok:
		return fmt.Errorf("%w: channel %s", api.ErrUnknown, s.Channel)
	case in.owner != "":
		return fmt.Errorf("%w: channel %s is sensor %s's", api.ErrInvalid, s.Channel, in.owner)
	}
	if !s.Time.IsZero() {
		if ahead := s.Time.Sub(p.clock.Wall(now)); ahead > maxAhead {
			return fmt.Errorf("%w: channel %s: its time lies %v in the future", api.ErrInvalid, s.Channel, ahead.Round(time.Second))
		}
	}
	if in.sensor >= 0 {
		return p.checkRange(in, s, now)
	}
	return nil
}

// checkRange holds a pushed sample against the ranges of its push sensor, for whom
// one that is refused is a failed reading. A value may be clamped.
func (p *pipeline) checkRange(in inlet, s *api.Sample, now time.Duration) error {
	h, one := p.sensors[in.sensor], [1]encoder.Sample{{Channel: in.channel, At: now, Value: s.Value}}
	r := sensor.Reading{Sensor: in.sensor, At: now, Samples: one[:]}
	h.judge.Look(&r)
	if r.Err != nil {
		p.keepReading(h, &r)
		h.observe(&r)
		return fmt.Errorf("%w: %w", api.ErrInvalid, r.Err)
	}
	s.Value = one[0].Value
	return nil
}

// momentOf is when a pushed sample was true.
func (p *pipeline) momentOf(s *api.Sample, now, age time.Duration) time.Duration {
	if s.Time.IsZero() {
		return now - age
	}
	return min(now, now-p.clock.Wall(now).Sub(s.Time))
}

// inject hands one pushed sample to the windows and to the health of its sensor.
func (p *pipeline) inject(in inlet, at time.Duration, value float64) {
	p.add(encoder.Sample{Channel: in.channel, At: at, Value: value})
	if in.sensor >= 0 {
		p.sensors[in.sensor].observe(&sensor.Reading{Sensor: in.sensor, At: at})
	}
}

// receive keeps a copy of pushed regions that were true at a moment.
func (m *modality) receive(r *api.Regions, at, ttl time.Duration) {
	if ttl == 0 {
		ttl = m.ttl
	}
	m.pushed.set, m.pushed.rows, m.pushed.at, m.pushed.ttl = true, r.Rows, at, ttl
	copy(m.pushed.data, r.Data)
}
