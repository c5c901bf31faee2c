package record

import (
	"context"
	"time"
)

// Label records an interval and waits until it is as durable as the configuration
// says, or ctx ends. After an error it may still be written: it waits for the disk.
func (r *Recorder) Label(ctx context.Context, l *Label) error {
	seq, ok := r.mark(r.clock.Now(), l)
	if !ok {
		return r.wrong(errFull)
	}
	return r.await(ctx, seq)
}

// Mark records an interval and does not wait.
func (r *Recorder) Mark(at time.Duration, l *Label) { r.mark(at, l) }

// MarkNow records an interval and lets it be written at once, but does not wait.
func (r *Recorder) MarkNow(at time.Duration, l *Label) {
	r.mark(at, l)
	r.wake()
}

// Running is the label that holds at a moment, which must be a recent one: "" for none.
func (r *Recorder) Running(at time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open, closed := &r.labels[0], &r.labels[1]; !closed.Until || at < closed.From || at >= closed.To {
		return open.Label
	}
	return r.labels[1].Label
}

func (r *Recorder) mark(at time.Duration, l *Label) (seq uint32, ok bool) {
	b := r.begin(labelChannel, at)
	if l.Until {
		r.labels[1] = *l
	} else {
		r.labels = [2]Label{*l}
	}
	return r.end(b, appendLabel(b, at, l), always)
}

// always is the moment of records that go to the disk whatever the configuration
// says.
const always = -1
