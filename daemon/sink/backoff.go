package sink

import (
	"math/rand/v2"
	"time"
)

// backoff spaces out attempts that fail: twice as long each time, up to most, and
// each shortened by up to half at random, so that boards which lost one broker
// together do not come back together.
type backoff struct {
	least, most time.Duration
	next        time.Duration // before the next attempt, unshortened
}

// after returns how long to wait after an attempt that held for that long. One
// that held for longer than most is not counted as a failure.
func (b *backoff) after(held time.Duration) time.Duration {
	if b.next == 0 || held > b.most {
		b.next = b.least
	}
	wait := b.next - rand.N(b.next/2)
	b.next = min(2*b.next, b.most)
	return wait
}
