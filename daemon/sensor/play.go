package sensor

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// stepEvery is how long, in real time, the timeline of a paced replay may stand
// still.
const stepEvery = 100 * time.Millisecond

// Run plays the recordings from the beginning to the end, or until ctx ends. It
// hands the rows to deliver, and moments to advance: then everything up to and
// including that moment has been delivered. Both return at once. Run may be
// called again after it has returned; it returns nil at the end of the
// recordings and ctx's error when that ended first.
func (r *Replay) Run(ctx context.Context, deliver func(Reading), advance func(at time.Duration)) error {
	defer r.due.Store(0)
	for _, p := range r.players {
		if err := p.rewind(); err != nil {
			return err
		}
	}
	pace := pace{began: r.now(), speed: r.speed, timer: time.NewTimer(0)}
	defer pace.timer.Stop()
	for at, ok := r.next(); ok; at, ok = r.next() {
		if err := r.reach(ctx, &pace, at, advance); err != nil {
			return err
		}
		r.due.Store(int64(r.now()))
		for _, p := range r.players {
			for p.more && p.row.at-r.start == int64(at) {
				deliver(p.play(at))
				p.mark, p.shown = p.row.mark, true
				if err := p.read(); err != nil {
					return err
				}
			}
		}
		advance(at)
	}
	return nil
}

// next returns the moment of the first row that was not played yet.
func (r *Replay) next() (at time.Duration, ok bool) {
	first := int64(math.MaxInt64)
	for _, p := range r.players {
		if p.more {
			first, ok = min(first, p.row.at), true
		}
	}
	return time.Duration(first - r.start), ok
}

// pace turns real time into the recording's.
type pace struct {
	began time.Duration // real time of moment 0
	speed float64
	timer *time.Timer
}

// reach waits until the timeline gets to at, and advances it in small steps on
// the way.
func (r *Replay) reach(ctx context.Context, p *pace, at time.Duration, advance func(time.Duration)) error {
	for p.speed > 0 {
		now := r.now()
		reached := float64(now-p.began) * p.speed
		if reached >= float64(at) {
			break
		}
		if reached > 0 {
			advance(min(time.Duration(reached), at-1))
		}
		// The last step must not fall short of at by its rounding.
		wait := min(stepEvery, time.Duration(min((float64(at)-reached)/p.speed, 1e9))+1)
		r.due.Store(int64(r.now() + wait))
		p.timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.timer.C:
		}
	}
	return ctx.Err()
}

// rewind makes the first row the next one.
func (p *player) rewind() error {
	p.shown = false
	p.row.values = make([]float64, len(p.channels))
	p.reader = rowReader{from: p.rows.Column(0), width: p.width(), next: p.part.begin, end: p.part.end, buffer: p.reader.buffer}
	return p.read()
}

// read makes another row the next one.
func (p *player) read() (err error) {
	if p.more, err = p.reader.read(&p.row); err != nil {
		return fmt.Errorf("temporary file of a recording: %w", err)
	}
	return nil
}

// play returns the player's next row.
func (p *player) play(at time.Duration) Reading {
	r := Reading{Sensor: p.sensor, At: at}
	if p.names != nil {
		r.Label = p.names[p.row.label]
	}
	for _, s := range p.unplugged {
		if s.from <= p.row.at && p.row.at < s.to {
			r.Err = ErrUnplugged
			return r
		}
	}
	p.samples = p.samples[:0]
	for i, v := range p.row.values {
		switch {
		case math.IsNaN(v): // absent
		case math.IsInf(v, 0):
			r.Err = p.bad[i]
			return r
		default:
			p.samples = append(p.samples, encoder.Sample{Channel: p.channels[i], At: at, Value: v})
		}
	}
	r.Samples = p.samples
	return r
}
