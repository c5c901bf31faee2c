package daemon

import (
	"time"

	"github.com/ragedge/ragedge/result"
)

// The kernel is asked about synchronisation once a minute, and at once when the wall
// clock has jumped: a board without a battery starts in 1970 and jumps to the present
// when it reaches a time server.
const (
	qualityEvery = time.Minute
	jump         = time.Second
)

// Quality says how far to trust the wall clock. As soon as something keeps it right,
// Results that were made before can be dated anew: see result.Redate.
func (c *systemClock) Quality() string {
	now, zero := c.Now(), c.Wall(0)
	q := c.quality.Load()
	jumped := c.jumped(zero, q == nil)
	if q == nil || jumped || now-time.Duration(c.asked.Load()) > qualityEvery {
		fresh := c.ask()
		if fresh == result.Synced && (q == nil || *q != fresh) {
			c.set.Set(zero)
		}
		q = &fresh
		c.quality.Store(q)
		c.asked.Store(int64(now))
	}
	return *q
}

// jumped says whether the wall clock has been set since it was last asked: by more
// than a clock that is merely slewed moves in a minute.
func (c *systemClock) jumped(zero time.Time, first bool) bool {
	before := c.zero.Swap(zero.UnixNano())
	by := time.Duration(zero.UnixNano() - before)
	if first || -jump < by && by < jump {
		return false
	}
	c.steps.Add(1)
	return true
}
