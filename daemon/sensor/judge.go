package sensor

import (
	"math"
	"sync/atomic"
)

// Judge decides what of one sensor's readings to believe, before anything keeps or
// records them. It is called by one goroutine at a time.
type Judge struct {
	ranges map[string]limit // by channel
	policy string           // for what is outside
	still  stillness
	strays atomic.Int64
}

// NewJudge makes the one for c, which has passed Check.
func NewJudge(c *Config) *Judge {
	j := &Judge{ranges: c.limits(), policy: c.OutOfRange}
	if c.Type != Recorded { // a recording says itself what was frozen
		j.still = newStillness(c)
	}
	return j
}

// Look puts an error in the place of what is not to be believed in r. It clamps
// values where the configuration says so, and leaves r alone otherwise.
func (j *Judge) Look(r *Reading) {
	if j == nil || r.Err != nil || len(r.Samples) == 0 {
		return
	}
	// First of all, since clamped values are equal.
	frozen := j.still.look(r.At, r.Samples)
	if err := j.limit(r); err != nil {
		r.Samples, r.Err = nil, err
		return
	}
	if frozen {
		r.Err = j.still.err
		if !j.still.keep {
			r.Samples = nil
		}
	}
}

// limit checks the samples against their ranges; the first that is outside is the
// error.
func (j *Judge) limit(r *Reading) (first error) {
	if len(j.ranges) == 0 {
		return nil
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		l, has := j.ranges[s.Channel]
		if !has {
			continue
		}
		before := s.Value
		err := l.check(&s.Value, j.policy)
		if err != nil || math.Float64bits(before) != math.Float64bits(s.Value) {
			j.strays.Add(1)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// Strays counts the values that were out of their range.
func (j *Judge) Strays() int64 { return j.strays.Load() }
