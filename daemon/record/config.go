package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Config is the [record] table.
type Config struct {
	// When says what is recorded: "always" everything, "trigger" what comes
	// within Hold after the answer or the set of present modalities changed,
	// "api" what POST /v1/record starts. Empty: nothing, and no file is touched.
	When string           `toml:"when"`
	Hold encoder.Duration `toml:"hold"`
	// Directory of the recordings; no other process may record there.
	Directory string `toml:"directory"`
	// Durable says what a power cut may cost: nothing that was acknowledged
	// ("record": each record is on the disk before it counts as written), what
	// came in the last Interval ("interval"), or what the kernel had not written
	// yet ("none").
	Durable  string           `toml:"durable"`
	Interval encoder.Duration `toml:"interval"`
	// A segment is closed, and another begun, when it has SegmentBytes or is
	// SegmentAge old.
	SegmentBytes int64            `toml:"segment_bytes"`
	SegmentAge   encoder.Duration `toml:"segment_age"`
	// The oldest closed segments are removed when all together have more than
	// MaxBytes, those with labels last, and any that is older than MaxAge; 0
	// keeps them whatever their age.
	MaxBytes int64            `toml:"max_bytes"`
	MaxAge   encoder.Duration `toml:"max_age"`
	// WriteBudgetBytes is how much may be written in a day, 0 for no bound. When it
	// is used up, nothing but labels and flights is recorded until the day is over.
	WriteBudgetBytes int64 `toml:"write_budget_bytes"`
	// Flight is how far back everything is kept in memory, within FlightBytes, to
	// be written when it is wanted, or when something of FlightOn happens; 0: none.
	Flight      encoder.Duration `toml:"flight"`
	FlightBytes int64            `toml:"flight_bytes"`
	FlightOn    []string         `toml:"flight_on"`
}

// Words of the key when.
const (
	Always  = "always"
	Trigger = "trigger"
	API     = "api"
)

// Words of the key durable.
const (
	DurableRecord   = "record"
	DurableInterval = "interval"
	DurableNone     = "none"
)

// Bounds of the sizes.
const (
	minSegment = 256 << 10
	maxSegment = 1 << 30
	minFlight  = 64 << 10
	maxFlight  = 64 << 20
)

// On says whether the table asks for recording at all.
func (c *Config) On() bool { return c.When != "" || c.Flight > 0 }

// flightOn says whether a flight is wanted when something happens.
func (c *Config) flightOn(word string) bool { return slices.Contains(c.FlightOn, word) }

// WithDefaults returns c with every key that was left out at its default.
func (c Config) WithDefaults() Config {
	if c.Directory == "" {
		c.Directory = "/var/lib/ragedge/recordings"
	}
	if c.Durable == "" {
		c.Durable = DurableInterval
	}
	set := func(d *encoder.Duration, value time.Duration) {
		if *d == 0 {
			*d = encoder.Duration(value)
		}
	}
	set(&c.Hold, 5*time.Minute)
	set(&c.Interval, 10*time.Second)
	set(&c.SegmentAge, 24*time.Hour)
	if c.SegmentBytes == 0 {
		c.SegmentBytes = 16 << 20
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 512 << 20
	}
	if c.FlightBytes == 0 {
		c.FlightBytes = 1 << 20
	}
	return c
}

// Check reports everything in c that is wrong without touching the file system.
// Each error names its key.
func (c Config) Check() error {
	var all []error
	add := func(key, format string, args ...any) {
		all = append(all, fmt.Errorf(key+": "+format, args...))
	}
	word := func(key, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			add(key, "%q is not one of: %s", value, strings.Join(known, ", "))
		}
	}
	word("when", c.When, Always, Trigger, API)
	word("durable", c.Durable, DurableRecord, DurableInterval, DurableNone)
	for _, on := range c.FlightOn {
		word("flight_on", on, SensorDown, NoAnswer, InConflict)
	}
	if c.Flight == 0 && (c.FlightBytes != 0 || len(c.FlightOn) > 0) {
		add("flight", "needed for flight_bytes and flight_on: how far back to keep records in memory")
	}
	c = c.WithDefaults()
	if c.Flight != 0 && c.Flight.Std() < time.Second {
		add("flight", "%v is less than %v", c.Flight.Std(), time.Second)
	}
	if c.FlightBytes < minFlight || c.FlightBytes > maxFlight {
		add("flight_bytes", "%d is not in %d to %d", c.FlightBytes, minFlight, maxFlight)
	}
	if c.WriteBudgetBytes < 0 || c.WriteBudgetBytes > 0 && c.WriteBudgetBytes < c.SegmentBytes {
		add("write_budget_bytes", "%d is less than one segment of %d", c.WriteBudgetBytes, c.SegmentBytes)
	}
	for _, d := range []struct {
		key        string
		value, min time.Duration
	}{{"hold", c.Hold.Std(), time.Second}, {"interval", c.Interval.Std(), 100 * time.Millisecond},
		{"segment_age", c.SegmentAge.Std(), time.Minute}} {
		if d.value < d.min {
			add(d.key, "%v is less than %v", d.value, d.min)
		}
	}
	if c.MaxAge < 0 {
		add("max_age", "%v is negative", c.MaxAge.Std())
	}
	if c.SegmentBytes < minSegment || c.SegmentBytes > maxSegment {
		add("segment_bytes", "%d is not in %d to %d", c.SegmentBytes, minSegment, maxSegment)
	} else if c.MaxBytes < 2*c.SegmentBytes {
		add("max_bytes", "%d is less than two segments of %d", c.MaxBytes, c.SegmentBytes)
	}
	return errors.Join(all...)
}
