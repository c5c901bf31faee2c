package record

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge/result"
)

// Flight is the word of a file that holds what came before a moment: the newest
// records, which are kept in memory in case they are wanted.
const Flight = "flight"

// Words of the key flight_on.
const (
	// SensorDown: a sensor that worked is down.
	SensorDown = "sensor-down"
	// NoAnswer: a Result has no answer after one that had.
	NoAnswer = "no-answer"
	// InConflict: a modality would answer otherwise, after a Result in which none
	// would.
	InConflict = "conflict"
)

// ErrTooSoon means that a flight was asked for soon after another.
var ErrTooSoon = errors.New("too soon after the last one")

var errNoFlight = errors.New("nothing is kept in memory: set record.flight in the configuration")

// flight keeps the newest messages, within a time and a number of bytes. It is
// made of parts that are dropped as a whole, the oldest first.
type flight struct {
	keep  time.Duration
	max   int // bytes
	parts []part
	size  int // the capacity of all parts
	spare [][]byte

	// What was asked for and is not on disk yet, and why. A failed write is tried
	// again, and nothing else is taken meanwhile.
	wanted  []part
	reason  string
	last    time.Duration // when it was asked for
	any     bool          // it was
	trouble bool          // the newest Result had no answer
	dispute bool          // or a conflict
}

// part is a sequence of messages and the moment of the newest.
type part struct {
	data     []byte
	newest   time.Duration
	messages int64
}

// partSize is the size of a part, a small share of max.
func (f *flight) partSize() int { return min(fullChunk, f.max/16) }

// add keeps a message of a moment and returns how many others had to go before
// their time.
func (f *flight) add(message []byte, at time.Duration) (dropped int64) {
	for len(f.parts) > 1 && at-f.parts[0].newest > f.keep {
		f.drop()
	}
	n := len(f.parts)
	if n == 0 || len(f.parts[n-1].data)+len(message) > cap(f.parts[n-1].data) {
		need := max(f.partSize(), len(message))
		if need > f.max {
			return 1
		}
		for len(f.parts) > 0 && f.size+need > f.max {
			dropped += f.drop()
		}
		f.parts = append(f.parts, part{data: f.buffer(need)})
		f.size += need
		n = len(f.parts)
	}
	p := &f.parts[n-1]
	p.data = append(p.data, message...)
	p.newest = max(p.newest, at)
	p.messages++
	return dropped
}

// drop forgets the oldest part and returns how many messages it had.
func (f *flight) drop() int64 {
	p := f.parts[0]
	f.size -= cap(p.data)
	if cap(p.data) == f.partSize() && len(f.spare) == 0 {
		f.spare = append(f.spare, p.data[:0])
	}
	copy(f.parts, f.parts[1:])
	f.parts[len(f.parts)-1] = part{}
	f.parts = f.parts[:len(f.parts)-1]
	return p.messages
}

// buffer returns an empty one of exactly so many bytes.
func (f *flight) buffer(size int) []byte {
	if n := len(f.spare); n > 0 && size == f.partSize() {
		b := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return b
	}
	return make([]byte, 0, size)
}

// Flight asks for what is kept in memory to be written to a file of its own, for
// a reason in a few words. It does not wait for the disk. After an error, which
// wraps ErrTooSoon when there was one a moment ago, nothing will be written.
func (r *Recorder) Flight(reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.askFlight(reason, r.clock.Now())
}

// Alarm asks for a flight because of an event that is named by a word of
// flight_on, if that is in the configuration. It never waits.
func (r *Recorder) Alarm(word, reason string, at time.Duration) {
	if !r.config.flightOn(word) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.askFlight(word+": "+reason, at) // one a moment ago holds it, or the next will
}

// askFlight does the work of Flight. The lock is held.
func (r *Recorder) askFlight(reason string, now time.Duration) error {
	f := r.flight
	switch {
	case f == nil:
		return errNoFlight
	case f.any && now-f.last < f.keep:
		return fmt.Errorf("%w: one was written for %q %v ago; at most one in %v",
			ErrTooSoon, f.reason, (now - f.last).Round(time.Second), f.keep)
	case f.wanted != nil:
		return fmt.Errorf("%w: one waits for the disk", ErrTooSoon)
	case len(f.parts) == 0:
		return errors.New("nothing has come yet")
	}
	f.wanted, f.reason, f.last, f.any = f.parts, reason, now, true
	f.parts, f.size = nil, 0
	r.wake()
	return nil
}

// watch looks for what the configuration asks flights for in a Result.
func (r *Recorder) watch(x *result.Result) {
	f := r.flight
	if f == nil {
		return
	}
	reason, modality := x.Reason, ""
	for i := range x.Modalities {
		if x.Modalities[i].Conflict {
			modality = x.Modalities[i].Name
		}
	}
	r.mu.Lock()
	trouble, dispute := reason != "" && !f.trouble && r.answeredOnce, modality != "" && !f.dispute
	f.trouble, f.dispute = reason != "", modality != ""
	r.answeredOnce = r.answeredOnce || reason == ""
	r.mu.Unlock()
	if trouble {
		r.Alarm(NoAnswer, reason, x.Mono)
	}
	if dispute {
		r.Alarm(InConflict, modality, x.Mono)
	}
}

// writeFlight writes a flight that was asked for. The parts go to a file of a run
// of its own, so that it never mixes with what else is recorded.
func (w *writer) writeFlight() error {
	r := w.r
	r.mu.Lock()
	var parts []part
	var reason string
	if r.flight != nil {
		parts, reason = r.flight.wanted, r.flight.reason
	}
	r.mu.Unlock()
	if parts == nil {
		return nil
	}
	if err := w.trim(); err != nil {
		return err
	}
	id, err := w.freeID(r.clock.Now())
	if err != nil {
		return err
	}
	id += "-" + Flight
	s, err := createSegment(w.dir, id, newPrologue(&r.run, id, Flight, "reason", reason), w.durable())
	if err != nil {
		w.leftOver = true
		return err
	}
	for _, p := range append(slices.Clip(parts), part{data: w.flightClock()}) {
		if err = s.add(p.data); err != nil {
			s.file.Close()
			break
		}
	}
	if err == nil {
		err = s.close()
	}
	w.spend(s.size)
	if err != nil {
		w.leftOver = true
		return err
	}
	r.counters.flights.Add(1)
	r.log.Info("flight written", "file", id+closedSuffix, "reason", reason)
	r.mu.Lock()
	r.flight.wanted = nil
	r.mu.Unlock()
	return nil
}

// flightClock is a record of how far to trust the wall clock now.
func (w *writer) flightClock() []byte {
	r := w.r
	now := r.clock.Now()
	r.mu.Lock()
	seq := r.seq + 1 // not taken: what else is recorded would lack it
	r.mu.Unlock()
	b, start := beginMessage(nil, clockChannel, seq, max(0, r.clock.Wall(now).UnixNano()))
	return end(appendClock(b, now, r.clock.Quality()), start)
}
