package sensor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Words of out_of_range: what becomes of a value that is outside the ranges of its
// sensor.
const (
	// RangeDrop makes the reading count as a failure, the default.
	RangeDrop = "drop"
	// RangeClamp puts the nearest end of the range in its place.
	RangeClamp = "clamp"
	// RangeMask takes the sensor down until its next good reading.
	RangeMask = "mask"
)

// rangedKinds are those whose readings have names that the configuration knows.
var rangedKinds = append([]string{Exec, MQTT, Push, Recorded}, polledKinds...)

var rangeWords = []string{RangeDrop, RangeClamp, RangeMask}

// ErrMasked means that one value makes everything doubtful that the sensor
// delivered, so that its modalities are masked at once.
var ErrMasked = errors.New("masked by out_of_range")

// limit is the range of one reading, and its name in the driver's words.
type limit struct {
	reading string
	ends    [2]float64
}

// check finds out whether a value is in range. With clamp the value is changed,
// which is no error.
func (l *limit) check(v *float64, policy string) error {
	inside := min(max(*v, l.ends[0]), l.ends[1])
	if inside == *v {
		return nil
	}
	if policy == RangeClamp && !math.IsNaN(*v) {
		*v = inside
		return nil
	}
	err := fmt.Errorf("%s: %v is not in the range %v to %v", l.reading, *v, l.ends[0], l.ends[1])
	if policy == RangeMask {
		return fmt.Errorf("%w, %w", err, ErrMasked)
	}
	return err
}

// limits returns c's ranges by the channel that each reading is kept under.
func (c *Config) limits() map[string]limit {
	all := map[string]limit{}
	for reading, ends := range c.Ranges {
		if channel := c.channel(reading); channel != "" {
			all[channel] = limit{reading, ends}
		}
	}
	return all
}

// checkRanges refuses ranges of what is no reading, and ends that make none.
func (c *Config) checkRanges(add func(string, error)) {
	if c.OutOfRange != "" {
		add("out_of_range", oneOf(c.OutOfRange, rangeWords))
		if len(c.Ranges) == 0 {
			add("out_of_range", errors.New(`there are no ranges: set them, as in ranges = { lux = [0, 120000] }`))
		}
	}
	known := slices.Sorted(maps.Keys(c.Channels))
	if slices.Contains(polledKinds, c.Type) {
		known = nil
		for _, r := range c.readings() {
			known = append(known, r.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Ranges)) {
		ends := c.Ranges[name]
		if !slices.Contains(known, name) {
			add("ranges", fmt.Errorf("there is no reading %q, only: %s", name, strings.Join(known, ", ")))
		}
		if !(ends[0] < ends[1]) || math.IsInf(ends[0], 0) || math.IsInf(ends[1], 0) {
			add("ranges", fmt.Errorf("%s: [%v, %v] is not a smaller and a larger finite number", name, ends[0], ends[1]))
		}
	}
}
