package sensor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Words of frozen: what becomes of a sensor whose values have not changed at all
// for frozen_after.
const (
	// FrozenMask masks its modalities until a value changes, the default: a chip
	// that hangs says nothing about the world any more.
	FrozenMask = "mask"
	// FrozenKeep goes on using its values, and says so wherever its state is shown.
	FrozenKeep = "keep"
	// FrozenOff takes back the frozen_after that a driver has by itself.
	FrozenOff = "off"
)

var frozenWords = []string{FrozenMask, FrozenKeep, FrozenOff}

// ErrFrozen means that the values have been the same for frozen_after. A Reading
// with this error may still have samples: they are doubtful, and count.
var ErrFrozen = errors.New("frozen")

// fewestFrozen is how many equal readings it takes at least, however seldom they
// come.
const fewestFrozen = 10

const minFrozen = time.Second

// frozenAfter is that of c: its own, or what its driver knows.
func (c *Config) frozenAfter() time.Duration {
	switch {
	case c.Frozen == FrozenOff:
		return 0
	case c.FrozenAfter != 0:
		return c.FrozenAfter.Std()
	case c.Type == I2C:
		return c.driver().lively
	}
	return 0
}

func (c *Config) checkFrozen(add func(string, error)) {
	if t := c.FrozenAfter.Std(); c.FrozenAfter != 0 && (t < minFrozen || t > MaxInterval) {
		add("frozen_after", fmt.Errorf("%v is not in %v to %v", t, minFrozen, MaxInterval))
	}
	switch {
	case c.Frozen == "":
	case !slices.Contains(frozenWords, c.Frozen):
		add("frozen", oneOf(c.Frozen, frozenWords))
	case c.frozenAfter() == 0 && c.Frozen != FrozenOff:
		add("frozen", errors.New(`frozen_after says after how long: set it, as in frozen_after = "10m"`))
	}
}

// stillness notices values that do not change. What a sensor measures of the world
// has noise in its last digit, so that all of its values stay equal only where the
// chip, or the way to it, is stuck. Where that is not so, a door or the light of
// a dark room, nobody asks for it.
type stillness struct {
	after time.Duration // 0: nobody asks
	keep  bool
	err   error

	last  []float64
	since time.Duration
	equal int // readings
}

func newStillness(c *Config) stillness {
	after := c.frozenAfter()
	return stillness{
		after: after, keep: c.Frozen == FrozenKeep,
		err: fmt.Errorf("%w: the same value for more than %v", ErrFrozen, after),
	}
}

// look says whether the values have been still for too long, this one included.
func (s *stillness) look(at time.Duration, samples []encoder.Sample) bool {
	if s.after == 0 {
		return false
	}
	same := len(s.last) == len(samples)
	for i := range samples {
		same = same && samples[i].Value == s.last[i]
	}
	if same {
		s.equal++
		return s.equal >= fewestFrozen && at-s.since > s.after
	}
	s.last = s.last[:0]
	for i := range samples {
		s.last = append(s.last, samples[i].Value)
	}
	s.since, s.equal = at, 1
	return false
}
