package daemon

import (
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/result"
)

// Clock is the pipeline's time: a monotonic timeline, and what its moments are
// called on the wall.
type Clock interface {
	// Now is the present moment of the timeline.
	Now() time.Duration
	// Wall is the wall-clock time of a moment of the timeline.
	Wall(at time.Duration) time.Time
	// Next is the first tick after a moment, for ticks every so often.
	Next(after, every time.Duration) time.Duration
	// Quality says how far to trust Wall, in the words of result.Result.
	Quality() string
	// BootID names the boot that the timeline counts from, "" in a recording.
	BootID() string
	// Live is false when time passes as a recording says.
	Live() bool
}

// systemClock counts from the boot of the machine. It never jumps, because it
// advances with the monotonic clock; the wall clock may.
type systemClock struct {
	start time.Time
	base  time.Duration // of start, since boot
	boot  string
	// wall is what the wall clock shows at a moment that time.Now returned, and ask
	// the kernel's word on who keeps it right. Tests have a wall and a kernel of
	// their own.
	wall func(time.Time) time.Time
	ask  func() string

	// What Quality knows: see clockset.go.
	asked, zero, steps atomic.Int64
	quality            atomic.Pointer[string]
	set                result.Clock
}

func newSystemClock() *systemClock {
	c := &systemClock{
		start: time.Now(), base: sinceBoot(),
		wall: func(now time.Time) time.Time { return now }, ask: timeQuality,
	}
	c.set.Look = func() { c.Quality() }
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		c.boot = strings.TrimSpace(string(id))
	}
	return c
}

func (c *systemClock) Now() time.Duration { return c.base + time.Since(c.start) }

// Wall reads both clocks as close together as they can be read, which leaves some
// ten nanoseconds of noise; it is rounded off.
func (c *systemClock) Wall(at time.Duration) time.Time {
	now := time.Now()
	return c.wall(now).Add(at - c.base - now.Sub(c.start)).Round(time.Millisecond)
}

// Next puts ticks on the wall's grid (every full half minute, say), where
// several boards decide together and a set clock takes effect at once. A tick
// less than half a period away is the one just decided, a little early.
func (c *systemClock) Next(after, every time.Duration) time.Duration {
	into := time.Duration(c.Wall(after).UnixNano()) % every
	next := after + every - into
	if next-after < every/2 {
		next += every
	}
	return next
}

func (c *systemClock) BootID() string { return c.boot }

func (c *systemClock) Live() bool { return true }

// recordedClock stands wherever the recording has got to.
type recordedClock struct {
	start time.Time // wall time of moment 0
	boot  string    // what the recording says
	// dated knows better than start what a moment is called; nil: nothing does.
	dated func(time.Duration) time.Time
	now   atomic.Int64
}

func (c *recordedClock) Now() time.Duration { return time.Duration(c.now.Load()) }

func (c *recordedClock) Wall(at time.Duration) time.Time {
	if c.dated != nil {
		return c.dated(at)
	}
	return c.start.Add(at)
}

// Next counts ticks from the first sample on.
func (c *recordedClock) Next(after, every time.Duration) time.Duration { return after + every }

func (c *recordedClock) Quality() string { return result.Recorded }

func (c *recordedClock) BootID() string { return c.boot }

func (c *recordedClock) Live() bool { return false }

// reach moves the clock to a later moment.
func (c *recordedClock) reach(at time.Duration) {
	if int64(at) > c.now.Load() {
		c.now.Store(int64(at))
	}
}
