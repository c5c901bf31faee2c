package result

import (
	"sync/atomic"
	"time"
)

// Clock knows the wall time of the moments of one boot, from when the wall clock
// has been set on. A board without a battery counts from 1970 until it has reached
// a time server; what it decided before that can be dated afterwards, because the
// monotonic clock does not jump. The zero value knows nothing yet. It may be used
// by several goroutines at once.
type Clock struct {
	// Look, if it is not nil, is called by Redate and may call Set.
	Look func()
	zero atomic.Int64 // nanoseconds since 1970 of moment 0; 0: unknown
}

// Set says what the wall clock, now that it can be trusted, calls moment 0.
func (c *Clock) Set(zero time.Time) { c.zero.Store(zero.UnixNano()) }

// Redate gives a Result that was made before the clock was set the time that the
// clock would have shown, and the quality Backfilled. It leaves every other Result
// as it is, and does nothing before the clock is set.
func (r *Result) Redate() {
	if r.Quality != Unsynced || r.Clock == nil {
		return
	}
	if r.Clock.Look != nil {
		r.Clock.Look()
	}
	zero := r.Clock.zero.Load()
	if zero == 0 {
		return
	}
	r.Time = time.Unix(0, zero).Add(r.Mono).Round(time.Millisecond)
	r.Quality = Backfilled
}
