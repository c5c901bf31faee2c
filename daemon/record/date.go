package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// date is what the wall clock said from a moment on: the Unix time of moment 0 in
// nanoseconds, and how far to trust that.
type date struct {
	from    time.Duration
	zero    int64
	quality string
}

// synced is the word for a clock that is kept right.
const synced = "ntp"

// date takes in a record of the clock.
func (r *Recording) date(wall int64, data []byte) error {
	var m struct {
		Mono    time.Duration `json:"mono_ns"`
		Quality string        `json:"time_quality"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("%w: record of the clock: %w", ErrUnreadable, err)
	}
	r.dates = append(r.dates, date{m.Mono, wall - int64(m.Mono), m.Quality})
	return nil
}

// settleDates keeps what is to be believed of the clock: what it said while it was
// synced or, if it never was, what it said last, since it is set to be right.
func (r *Recording) settleDates() {
	kept := r.dates[len(r.dates)-1:]
	var good []date
	for _, d := range r.dates {
		if d.quality == synced {
			good = append(good, d)
		}
	}
	if len(good) > 0 {
		kept = good
	}
	r.dates = kept
	r.Start = r.Wall(r.begun).Add(-r.begun)
}

// Wall is the wall-clock time of a moment. What was recorded before the clock was
// set has the time that it would have had after.
func (r *Recording) Wall(at time.Duration) time.Time {
	d := r.dates[0]
	for _, later := range r.dates[1:] {
		if later.from > at {
			break
		}
		d = later
	}
	return time.Unix(0, d.zero+int64(at)).UTC()
}

// Dated says whether the wall clock was ever synced in what was read.
func (r *Recording) Dated() bool { return r.dates[0].quality == synced }

// DateBy looks into a later segment of the run for when the clock was synced, and
// dates r by that. One that does not help changes nothing.
func (r *Recording) DateBy(s *Source) {
	later := &Recording{each: func(int, *Event) error { return nil }}
	if later.load(s, true) != nil || later.id != r.id {
		return
	}
	dates := slices.DeleteFunc(later.dates, func(d date) bool { return d.quality != synced })
	if len(dates) == 0 {
		return
	}
	r.dates = dates
	r.settleDates()
}
