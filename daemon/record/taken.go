package record

import (
	"slices"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
)

// Reading records what a sensor delivered: samples, or a fault, which is a word
// for what to make of it, and the reason in words.
func (r *Recorder) Reading(sensor int, at time.Duration, samples []encoder.Sample, fault, reason string) {
	if !r.takes(at) {
		return
	}
	b := r.begin(uint16(sensorChannel+sensor), at)
	r.end(b, appendReading(b, at, samples, fault, reason), at)
}

// Push records what was pushed at a moment.
func (r *Recorder) Push(at time.Duration, regions []Regions, samples []Pushed) {
	if !r.takes(at) {
		return
	}
	b := r.begin(pushChannel, at)
	r.end(b, appendPush(b, at, regions, samples), at)
}

// Hang records that a decision will do without a modality because a bus hangs.
func (r *Recorder) Hang(at time.Duration, modality, reason string) {
	if !r.takes(at) {
		return
	}
	b := r.begin(hangChannel, at)
	r.end(b, appendHang(b, at, modality, reason), at)
}

// Result records a decision, and lets a trigger see it.
func (r *Recorder) Result(x *result.Result) {
	if r.config.When == Trigger && r.news(x) {
		r.until.Store(int64(x.Mono + r.config.Hold.Std()))
	}
	if r.takes(x.Mono) {
		b := r.begin(resultChannel, x.Mono)
		r.end(b, x.AppendJSON(b), x.Mono)
	}
	r.watch(x)
}

// news says whether a Result differs from the one before in its label or in which
// modalities are present.
func (r *Recorder) news(x *result.Result) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := r.answered && r.label == x.Label && slices.EqualFunc(r.present, x.Modalities,
		func(a bool, m result.Modality) bool { return a == m.Present })
	first := !r.answered
	r.answered, r.label, r.present = true, x.Label, r.present[:0]
	for i := range x.Modalities {
		r.present = append(r.present, x.Modalities[i].Present)
	}
	return !same && !first
}
