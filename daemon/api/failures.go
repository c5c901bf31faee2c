package api

import (
	"sync"
	"time"
)

const (
	failuresAtOnce = 20
	failuresEvery  = 200 * time.Millisecond // one more is let through
)

// failures bounds how many wrong tokens are answered as such. Tokens cannot be
// guessed; this keeps those who try from costing much.
type failures struct {
	mu    sync.Mutex
	spent int
	since time.Time // when the count was last lowered
}

// spend counts a failure at a moment, and says whether there was one left.
func (f *failures) spend(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if regained := now.Sub(f.since) / failuresEvery; regained >= time.Duration(f.spent) {
		f.spent, f.since = 0, now
	} else {
		f.spent -= int(regained)
		f.since = f.since.Add(regained * failuresEvery)
	}
	if f.spent >= failuresAtOnce {
		return false
	}
	f.spent++
	return true
}
