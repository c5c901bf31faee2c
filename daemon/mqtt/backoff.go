package mqtt

import (
	"math/rand/v2"
	"time"
)

// Backoff spaces out attempts that fail: twice as long each time, up to Most, and
// each shortened by up to half at random, so that boards which lost one broker
// together do not come back together.
type Backoff struct {
	Least, Most time.Duration
	next        time.Duration // before the next attempt, unshortened
}

// After returns how long to wait after an attempt that held for that long. One
// that held for longer than Most is not counted as a failure.
func (b *Backoff) After(held time.Duration) time.Duration {
	if b.next == 0 || held > b.Most {
		b.next = b.Least
	}
	wait := b.next - rand.N(b.next/2)
	b.next = min(2*b.next, b.Most)
	return wait
}
