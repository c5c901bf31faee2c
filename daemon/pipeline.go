package daemon

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// pipeline is the way of the data: readings go into windows, and at every tick
// the windows' regions go through the model into a Result for whoever listens.
// There is no queue inside it: sensors call Deliver, the clock calls Advance,
// and each call does its work under one lock that nobody holds while waiting for
// a device, a disk or a peer. In steady state nothing is allocated.
type pipeline struct {
	clock    Clock
	real     Clock        // the machine's own, also during a replay
	once     bool         // one decision is enough
	deadline atomic.Int64 // see due
	// A sensor's state changed; called without the lock.
	changed  func(alias string, state sensorState, reason string)
	duration func(seconds float64)

	mu      sync.Mutex
	publish []func(*result.Result)
	wiring
	started bool
	next    time.Duration // the next tick
	lastIn  time.Time     // when the newest reading came in
	lastOut time.Time     // when the newest Result went out
	truth   string        // what the recording that is played says is true
	// What an MCAP recording says is true at a moment, "" for nothing; nil: there is
	// none, and readings carry labels.
	labels func(at time.Duration) string
	held   string // label of the button that was pressed last, "" of none
	// Nobody hears of what led up to the part of a recording that is asked for.
	quiet bool

	power   *powerWatch // nil: the machine is well
	mayRest bool        // the newest tick was decided; see skips

	decided, answered, missed, skipped atomic.Int64
	// Moments of the timeline: the newest Result with an answer, and the newest
	// good reading. Negative: none yet.
	lastAnswer, lastReading atomic.Int64
	entropy                 atomic.Uint64 // bits of the newest answer's
}

// wiring is what the configuration and the model decide about the pipeline. A
// reload replaces all of it between two readings.
type wiring struct {
	every      time.Duration // between ticks; 0: none
	stepDown   bool          // skip ticks while the machine is not well
	onPush     bool          // every push decides
	sensors    []*health
	buttons    []*button // by sensor; nil for what is none
	modalities []*modality
	inlets     map[string]inlet // by the name that a push uses
	mind       *mind            // nil without a model
	newest     *newest          // nil when Results carry no readings
	inputs     []fusion.Regions
	result     result.Result
	sinks      []func(*result.Result)
	record     *record.Recorder // nil when nothing is recorded
	// A recording says itself when to decide.
	asRecorded bool
	seen       func(*result.Result, []fusion.Regions) // see Environment.OnInputs
}

// enter locks the pipeline and marks that work has begun; leave marks that it is
// done and when more is due.
func (p *pipeline) enter() {
	p.mu.Lock()
	p.deadline.Store(int64(p.real.Now()))
}

func (p *pipeline) leave() {
	next := idle
	if p.ticking() && p.clock.Live() {
		next = p.next
	}
	p.deadline.Store(int64(next))
	p.mu.Unlock()
}

// due is when the pipeline must next show progress, for the watchdog.
func (p *pipeline) due() time.Duration { return time.Duration(p.deadline.Load()) }

func (p *pipeline) ticking() bool {
	return p.started && p.every > 0 && p.decides() && !p.asRecorded
}

// decides says whether a tick has anything to do: to answer, to tell readings, or
// to show what is in the windows.
func (w *wiring) decides() bool { return w.mind != nil || w.newest != nil || w.seen != nil }

// subscribe sends every Result from now on to f, under the lock: f only takes a
// copy. A recording's time can wait, so there f may too.
func (p *pipeline) subscribe(f func(*result.Result)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publish = append(p.publish, f)
}

// begin starts a live run.
func (p *pipeline) begin() {
	p.enter()
	defer p.leave()
	p.start(p.clock.Now())
}

// start lets ticks begin. Live, they stand on the wall's grid; a recording's
// first tick is its first sample.
func (p *pipeline) start(at time.Duration) {
	if p.started {
		return
	}
	p.started = true
	if p.next = at; p.clock.Live() && p.every > 0 {
		p.next = p.clock.Next(at, p.every)
	}
}

// Deliver takes a reading of a sensor in. Ticks due before its moment are decided
// first, so that what a tick sees does not depend on when it is computed.
func (p *pipeline) Deliver(h *health, r sensor.Reading) {
	if changed, state, reason := p.take(h, &r); changed {
		p.changed(h.alias, state, reason)
	}
}

// take does the work of Deliver and says what changed about the sensor.
func (p *pipeline) take(h *health, r *sensor.Reading) (changed bool, state sensorState, reason string) {
	p.enter()
	defer p.leave()
	if h.retired {
		return false, 0, ""
	}
	in := time.Now()
	p.start(r.At)
	p.tick(r.At - 1)
	p.lastIn = in
	if r.Label != "" {
		p.keepTruth(r.At, r.Label)
	}
	p.recall(r.At)
	h.judge.Look(r)
	p.keepReading(h, r)
	p.press(h, r)
	if changed = h.observe(r); changed {
		p.alarm(h, r.At)
	}
	if len(r.Samples) > 0 {
		p.heard(r.At)
	}
	for _, s := range r.Samples {
		p.add(s)
	}
	return changed, h.now(), h.reason
}

// heard notes a good reading of a moment, which may be older than the newest.
func (p *pipeline) heard(at time.Duration) {
	p.lastReading.Store(max(p.lastReading.Load(), int64(at)))
}

// add hands a sample to whoever looks at its channel.
func (p *pipeline) add(s encoder.Sample) {
	p.newest.add(s)
	for _, m := range p.modalities {
		if m.window != nil {
			m.window.Add(s)
		}
	}
}

// Advance decides every tick due at or before a moment of the timeline.
func (p *pipeline) Advance(at time.Duration) {
	p.enter()
	defer p.leave()
	p.tick(at)
}

// tick decides what is due. A live pipeline that was held up, by a suspended
// machine say, decides the newest of the due ticks and counts the others as
// missed; a recording gets every one.
func (p *pipeline) tick(until time.Duration) {
	if !p.ticking() {
		return
	}
	for p.next <= until && !(p.once && p.decided.Load() > 0) {
		if behind := (until - p.next) / p.every; behind > 0 && p.clock.Live() {
			p.missed.Add(int64(behind))
			p.next += behind * p.every
		}
		if !p.skips() {
			p.decide(p.next)
		}
		p.next = p.clock.Next(p.next, p.every)
	}
}

// nextTick is when the clock should call Advance; ok is false when no tick will
// ever come.
func (p *pipeline) nextTick() (at time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next, p.ticking()
}

// decide computes and publishes the Result of one moment. Without a model there
// is nothing to decide, and the Result carries readings alone.
func (p *pipeline) decide(at time.Duration) {
	begun := time.Now()
	p.recall(at)
	r := &p.result
	r.Seq++
	r.Time, r.Quality = p.clock.Wall(at), p.clock.Quality()
	r.Mono = at
	r.Truth = p.truth
	r.Degraded = nil
	for i, m := range p.modalities {
		m.gather(at, &p.inputs[i], &r.Modalities[i])
		if m.hangs != "" && p.record != nil {
			p.record.Hang(at, m.name, m.hangs)
		}
	}
	if p.seen != nil && !p.quiet {
		p.seen(r, p.inputs)
	}
	if p.mind != nil {
		r.Readings = r.Readings[:0]
		p.mind.answer(p.inputs, r)
	}
	if p.quiet {
		return
	}
	if p.mind != nil {
		p.keepAnswer(at, r)
	}
	r.Degraded = p.power.degraded() // not recorded: a replay has another machine
	if p.newest != nil {
		r.Readings = p.newest.read(at, r.Readings[:0])
	}
	out := time.Now()
	r.Latency = out.Sub(p.since(at, out))
	p.lastOut = out
	for _, publish := range p.publish {
		publish(r)
	}
	for _, publish := range p.sinks {
		publish(r)
	}
	if p.duration != nil {
		p.duration(out.Sub(begun).Seconds())
	}
}

// keepAnswer counts what the model said, and records it before readings join it:
// a recording holds the samples that these come from already.
func (p *pipeline) keepAnswer(at time.Duration, r *result.Result) {
	for i, m := range p.modalities {
		m.note(&r.Modalities[i])
	}
	p.decided.Add(1)
	if r.Reason == "" {
		p.answered.Add(1)
		p.lastAnswer.Store(int64(at))
		p.entropy.Store(math.Float64bits(float64(r.Entropy())))
	}
	if p.record != nil {
		p.record.Result(r)
	}
}

// since is the moment from which a Result's latency counts: when the newest
// sample came in or when the tick was due, whichever was later. The second of
// two ticks in one gap between samples counts from the first one's Result.
func (p *pipeline) since(at time.Duration, now time.Time) time.Time {
	from := p.lastIn
	if p.clock.Live() {
		if due := now.Add(at - p.clock.Now()); due.After(from) {
			from = due
		}
	}
	if from.Before(p.lastOut) {
		from = p.lastOut
	}
	return from
}

// lastReason says why the newest Result has no answer.
func (p *pipeline) lastReason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.result.Reason
}

// sensorStatus describes sensors.
func (p *pipeline) sensorStatus(sensors []*health) []api.SensorStatus {
	now := p.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]api.SensorStatus, len(sensors))
	for i, h := range sensors {
		all[i] = h.status(now)
	}
	return all
}

// locked makes a reading of something the lock protects safe from outside.
func (p *pipeline) locked(f func() int64) func() int64 {
	return func() int64 {
		p.mu.Lock()
		defer p.mu.Unlock()
		return f()
	}
}
