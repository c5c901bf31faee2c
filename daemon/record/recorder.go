// Package record keeps samples, pushes, Results and labels in MCAP files, which
// other tools open, and reads them back for a replay.
//
// Nothing here holds up the pipeline: records go into a bounded buffer, and one
// goroutine writes it to disk. A disk that is full, slow or broken costs records,
// which are counted, and nothing else; writing begins again by itself.
package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxPending is how many bytes may wait for the disk. What comes then is
	// dropped and counted.
	maxPending = 512 << 10
	// fullChunk is how many bytes are worth a write before their time has come.
	fullChunk = 64 << 10
)

// Clock is what a Recorder needs to know of the time.
type Clock interface {
	Now() time.Duration
	// Wall is the wall-clock time of a moment, Quality how far to trust it.
	Wall(at time.Duration) time.Time
	Quality() string
}

// Recorder records one run. Its methods may be called by several goroutines at
// once; those that take records copy them, never wait, and allocate nothing in
// steady state.
type Recorder struct {
	config Config
	clock  Clock
	files  FileSystem
	log    *slog.Logger
	run    Run

	mode  atomic.Int32 // a mode
	until atomic.Int64 // moment up to which a trigger lets records in
	over  atomic.Int64 // moment up to which the write budget is used up

	mu       sync.Mutex
	pending  []byte  // messages for the disk
	seq      uint32  // of the newest record
	label    string  // of the newest Result
	present  []bool  // its modalities
	answered bool    // there was one
	flight   *flight // nil without one
	// Some Result had an answer.
	answeredOnce bool
	last         error // what is wrong with the disk now

	labels [2]Label // newest without an end, newest with one

	committed uint32        // the newest record that is durable in the sense of Config
	attempts  int64         // failed so far
	changed   chan struct{} // closed after every attempt

	work      chan struct{} // one token: there is something to do
	closing   chan struct{}
	done      chan struct{}
	closeOnce sync.Once
	split     atomic.Bool // close the segment once what waits is in it
	writer    writer
	counters  counters
}

// mode says who decides whether records are taken.
type mode int32

const (
	byConfig mode = iota
	started       // by Start
	stopped       // by Stop
)

type counters struct {
	records, dropped, errors, bytes, segments, removed, aside, damaged, flights, forgotten atomic.Int64
}

// New returns a Recorder at work. c has passed Check; log gets what goes wrong.
// after, which may be nil, is the Recorder that had the directory before: the new
// one touches no file until that has ended, and keeps to what Start, Stop and a label
// without an end asked of it.
func New(c Config, run Run, clock Clock, files FileSystem, log *slog.Logger, after *Recorder) *Recorder {
	r := &Recorder{
		config: c.WithDefaults(), clock: clock, files: files, log: log, run: run,
		changed: make(chan struct{}),
		work:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	r.until.Store(-1)
	if r.config.Flight > 0 {
		r.flight = &flight{keep: r.config.Flight.Std(), max: int(r.config.FlightBytes)}
	}
	r.writer.r = r
	r.follow(after)
	go r.writer.loop(after)
	return r
}

// follow takes over from another Recorder what people asked of it, who need not know
// that a reload came. A configuration that wants something else now is what they asked last.
func (r *Recorder) follow(after *Recorder) {
	if after == nil {
		return
	}
	if r.config.When == after.config.When {
		r.mode.Store(after.mode.Load())
	}
	after.mu.Lock()
	open := after.labels[0]
	after.mu.Unlock()
	if open.Label != "" {
		r.Mark(r.clock.Now(), &open)
	}
}

// Records says whether the Recorder does what another one with this configuration
// and run would.
func (r *Recorder) Records(c Config, run Run) bool {
	return reflect.DeepEqual(r.config, c.WithDefaults()) && reflect.DeepEqual(r.run, run)
}

// Room waits while much waits for the disk, as a replay can whose time is not
// real, or until ctx ends. It does not wait for a disk that fails.
func (r *Recorder) Room(ctx context.Context) {
	r.mu.Lock()
	seq, busy := r.seq, len(r.pending) > maxPending/2 && r.last == nil
	r.mu.Unlock()
	if busy {
		_ = r.await(ctx, seq) // a failing disk is reported elsewhere
	}
}

// Wants says whether a record of a moment is of any use.
func (r *Recorder) Wants(at time.Duration) bool { return r.flight != nil || r.Active(at) }

// takes is Wants. Where everything was to be recorded, a number that no record has
// tells the reader of what is missing.
func (r *Recorder) takes(at time.Duration) bool {
	if r.Wants(at) {
		return true
	}
	if r.config.When == Always {
		r.mu.Lock()
		r.seq++
		r.mu.Unlock()
	}
	return false
}

// Active says whether records of a moment go to the disk.
func (r *Recorder) Active(at time.Duration) bool {
	if r.OverBudget(at) {
		return false
	}
	switch mode(r.mode.Load()) {
	case started:
		return true
	case stopped:
		return false
	}
	switch r.config.When {
	case Always:
		return true
	case Trigger:
		return int64(at) <= r.until.Load()
	}
	return false
}

// Start records from now on, whatever the configuration says; Stop ends that, and
// closes the segment. Labels are recorded always.
func (r *Recorder) Start() { r.mode.Store(int32(started)) }

// Stop is the opposite of Start.
func (r *Recorder) Stop() {
	r.mode.Store(int32(stopped))
	r.split.Store(true)
	r.wake()
}

// Flush waits until everything recorded so far is on disk, or ctx ends.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	seq := r.seq
	r.mu.Unlock()
	return r.await(ctx, seq)
}

var (
	errFull   = errors.New("too much waits for the disk")
	errClosed = errors.New("the recording has ended")
)

// wrong adds what is wrong with the disk to err.
func (r *Recorder) wrong(err error) error {
	if last := r.LastError(); last != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	return err
}

func (r *Recorder) await(ctx context.Context, seq uint32) error {
	r.mu.Lock()
	attempts := r.attempts
	for r.committed < seq {
		if r.attempts > attempts {
			err := r.last
			r.mu.Unlock()
			return err
		}
		changed := r.changed
		r.mu.Unlock()
		r.wake()
		select {
		case <-changed:
		case <-ctx.Done():
			return r.wrong(ctx.Err())
		case <-r.done:
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.committed < seq {
				return errClosed
			}
			return nil
		}
		r.mu.Lock()
	}
	r.mu.Unlock()
	return nil
}

// begin locks r and returns its buffer with the head of a message; end, which
// must follow, gets that and the same with the data.
func (r *Recorder) begin(channel uint16, at time.Duration) []byte {
	wall := max(0, r.clock.Wall(at).UnixNano())
	r.mu.Lock()
	r.seq++
	b, _ := beginMessage(r.pending, channel, r.seq, wall)
	return b
}

func (r *Recorder) end(head, b []byte, at time.Duration) (seq uint32, ok bool) {
	defer r.mu.Unlock()
	start := len(head) - messageHead
	if r.flight != nil {
		r.counters.forgotten.Add(r.flight.add(end(b, start)[start:], max(0, at)))
	}
	if at != always && !r.Active(at) {
		r.pending = b[:start]
		return r.seq, true
	}
	if len(b) > maxPending {
		r.pending = b[:start] // keeps what it has grown to
		r.counters.dropped.Add(1)
		return 0, false
	}
	r.pending = end(b, start)
	r.counters.records.Add(1)
	if r.config.Durable == DurableRecord || len(r.pending) >= fullChunk {
		r.wake()
	}
	return r.seq, true
}

func (r *Recorder) wake() {
	select {
	case r.work <- struct{}{}:
	default:
	}
}

// Close writes what waits, closes the segment and ends the Recorder, or gives up
// when ctx ends.
func (r *Recorder) Close(ctx context.Context) error {
	r.closeOnce.Do(func() { close(r.closing) })
	select {
	case <-r.done:
		return r.LastError()
	case <-ctx.Done():
		return r.wrong(ctx.Err())
	}
}

// Committed is the number of the newest record that is durable in the sense of
// the configuration; records are counted from 1.
func (r *Recorder) Committed() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.committed
}

// LastError is what is wrong with the disk now, nil when nothing is.
func (r *Recorder) LastError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Stats counts what a Recorder did. Errors are failed attempts to write, after
// which the same records are tried again; Dropped are records that are lost.
type Stats struct {
	Records, Dropped, Errors, Bytes, Segments, Removed, Aside, Damaged int64
	// Flights were written, and as many records were Forgotten before their time
	// because they did not fit into memory.
	Flights, Forgotten int64
}

// Stats returns the counters.
func (r *Recorder) Stats() Stats {
	c := &r.counters
	return Stats{
		c.records.Load(), c.dropped.Load(), c.errors.Load(), c.bytes.Load(), c.segments.Load(),
		c.removed.Load(), c.aside.Load(), c.damaged.Load(), c.flights.Load(), c.forgotten.Load(),
	}
}
