package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/result"
)

// WriteTimeout is how long a sink may take over one Result before its queue
// counts as late.
const WriteTimeout = 5 * time.Second

var (
	errClosed = errors.New("the queue is closed")
	errPanic  = errors.New("the sink panicked")
)

// Queue hands Results to one sink from a goroutine of its own, so that the
// pipeline never waits for it. It holds a fixed number of Results in buffers that
// it reuses; when they are full, Offer drops the oldest. A sink that fails or
// panics loses the Result it was given and gets the next one.
type Queue struct {
	sink Sink
	now  func() time.Duration

	mu      sync.Mutex
	ring    []result.Result
	first   int // index of the oldest Result
	waiting int // how many there are
	closed  bool
	last    error

	// One token each: there is something to do, there is room.
	work, room chan struct{}
	closing    chan struct{} // closed by Close
	done       chan struct{} // closed when the goroutine has ended
	closeErr   error         // of the sink; set before done

	written, dropped, failed atomic.Int64
	deadline                 atomic.Int64 // of the call under way, 0 when there is none
}

// NewQueue starts a queue of size Results, 0 for the default of Config, in front
// of s. now is the machine's monotonic time, above 0.
func NewQueue(s Sink, size int, now func() time.Duration) *Queue {
	if size <= 0 {
		size = defaultQueue
	}
	q := &Queue{
		sink:    s,
		now:     now,
		ring:    make([]result.Result, size),
		work:    make(chan struct{}, 1),
		room:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	go q.run()
	return q
}

// Offer takes a copy of r in and never waits: when the queue is full the oldest
// Result is dropped and counted.
func (q *Queue) Offer(r *result.Result) {
	q.mu.Lock()
	if q.closed {
		q.dropped.Add(1)
	} else {
		if q.waiting == len(q.ring) {
			q.first = (q.first + 1) % len(q.ring)
			q.waiting--
			q.dropped.Add(1)
		}
		q.put(r)
	}
	q.mu.Unlock()
	signal(q.work)
}

// OfferWait takes a copy of r in and waits for room, as a replay can whose time
// is not real. When ctx ends first, or the queue is closed, r is dropped and
// counted, and the error says why.
func (q *Queue) OfferWait(ctx context.Context, r *result.Result) error {
	for {
		if q.offer(r) {
			signal(q.work)
			return nil
		}
		var err error
		select {
		case <-q.room:
			continue
		case <-q.closing:
			err = errClosed
		case <-ctx.Done():
			err = ctx.Err()
		}
		q.dropped.Add(1)
		return err
	}
}

// offer takes r in if there is room.
func (q *Queue) offer(r *result.Result) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.waiting == len(q.ring) {
		return false
	}
	q.put(r)
	return true
}

func (q *Queue) put(r *result.Result) {
	r.CopyTo(&q.ring[(q.first+q.waiting)%len(q.ring)])
	q.waiting++
}

// Close lets the sink write what waits and closes it. When ctx ends first it
// drops the rest, counts it, and returns an error; a sink that still hangs then
// is never closed.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	signal(q.work)
	select {
	case <-q.done:
		return q.closeErr
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.waiting
	q.waiting = 0
	q.dropped.Add(int64(left))
	return fmt.Errorf("%d waiting Results were dropped: %w", left, ctx.Err())
}

// run writes until the queue is closed and empty, then closes the sink.
func (q *Queue) run() {
	defer close(q.done)
	var r result.Result
	write := func() error {
		r.Redate()
		return q.sink.Write(&r)
	}
	for q.take(&r) {
		if q.note(q.call(write)) == nil {
			q.written.Add(1)
		}
	}
	q.closeErr = q.note(q.call(q.sink.Close))
}

// take waits for the oldest Result and swaps it with r, whose buffers the queue
// uses again. It returns false when no more will come.
func (q *Queue) take(r *result.Result) bool {
	for {
		q.mu.Lock()
		if q.waiting > 0 {
			oldest := &q.ring[q.first]
			*r, *oldest = *oldest, *r
			q.first = (q.first + 1) % len(q.ring)
			q.waiting--
			q.mu.Unlock()
			signal(q.room)
			return true
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return false
		}
		<-q.work
	}
}

// call calls the sink, notes by when it is due back, and contains a panic.
func (q *Queue) call(f func() error) (err error) {
	q.deadline.Store(int64(q.now() + WriteTimeout))
	defer func() {
		q.deadline.Store(0)
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return f()
}

// note keeps what became of the last call to the sink, and returns it.
func (q *Queue) note(err error) error {
	if err != nil {
		q.failed.Add(1)
	}
	q.mu.Lock()
	q.last = err
	q.mu.Unlock()
	return err
}

// Due is the moment by which the sink must be back from the call it is at, for
// the watchdog: WriteTimeout after its beginning. It is 0 between calls.
func (q *Queue) Due() time.Duration { return time.Duration(q.deadline.Load()) }

// Len is the number of Results that wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// Written counts the Results that the sink took.
func (q *Queue) Written() int64 { return q.written.Load() }

// Dropped counts the Results that the sink was never given.
func (q *Queue) Dropped() int64 { return q.dropped.Load() }

// Errors counts the calls to the sink that failed; a failed Write lost its
// Result.
func (q *Queue) Errors() int64 { return q.failed.Load() }

// LastError is why the newest call to the sink failed, nil when it did not.
func (q *Queue) LastError() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

// signal leaves a token if there is none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
