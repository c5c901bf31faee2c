package sensor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of the times of a polled sensor. MinTimeout leaves room for the pauses
// that drivers make within one call, MaxTimeout keeps a mistyped unit from hiding
// a dead sensor.
const (
	MinInterval = time.Millisecond
	MaxInterval = 24 * time.Hour
	MinTimeout  = 20 * time.Millisecond
	MaxTimeout  = 10 * time.Second
)

const (
	maxName = 128 // bytes of an alias or a channel
	maxBus  = 255
	// Below and above are addresses that the I2C standard reserves.
	minAddress = 0x08
	maxAddress = 0x77
)

// laterKinds are kinds of the product that this build does not have.
var laterKinds = []string{"spi", "gpio", "iio", "hwmon", "audio", "camera", "exec", "mqtt"}

// Check reports everything in c that is wrong without touching hardware or
// files. Each error names its key but not the sensor.
func (c Config) Check() error {
	var all []error
	add := func(key string, err error) {
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", key, err))
		}
	}
	add("alias", checkAlias(c.Alias))
	if err := checkKind(c.Type); err != nil {
		add("type", err)
		return errors.Join(all...)
	}
	for _, k := range c.keys() {
		if k.set && !slices.Contains(k.kinds, c.Type) {
			add(k.name, fmt.Errorf("a key of type %s, which type %s does not have", strings.Join(k.kinds, " and "), c.Type))
		}
	}
	add("channels", checkChannels(c.Channels))
	c = c.WithDefaults()
	switch c.Type {
	case I2C:
		c.checkI2C(add)
	case Push:
		if len(c.Channels) == 0 {
			add("channels", errors.New("required: which names may be pushed, and the channel of each"))
		}
	case Recorded:
		c.checkReplay(add)
	}
	return errors.Join(all...)
}

// key is a key that not all kinds have.
type key struct {
	name  string
	set   bool
	kinds []string
}

func (c *Config) keys() []key {
	polled, replay := []string{I2C}, []string{Recorded}
	return []key{
		{"driver", c.Driver != "", polled},
		{"bus", c.Bus != "", polled},
		{"address", c.Address != 0, polled},
		{"interval", c.Interval != 0, polled},
		{"timeout", c.Timeout != 0, polled},
		{"startup_error", c.StartupError != "", polled},
		{"file", c.File != "", replay},
		{"time", c.Time != nil, replay},
		{"format", c.Format != "", replay},
		{"zone", c.Zone != "", replay},
		{"label", c.Label != "", replay},
		{"speed", c.Speed != "", replay},
		{"unplug", c.Unplug != nil, replay},
	}
}

func (c *Config) checkI2C(add func(string, error)) {
	d, known := table[c.Driver]
	if !known {
		add("driver", fmt.Errorf("%q is not one of: %s", c.Driver, strings.Join(slices.Sorted(maps.Keys(table)), ", ")))
	}
	if n, err := strconv.Atoi(c.Bus); err != nil || n < 0 || n > maxBus || strconv.Itoa(n) != c.Bus {
		add("bus", fmt.Errorf(`%q is not the number N of a /dev/i2c-N, as in "1"`, c.Bus))
	}
	if known && (c.Address < minAddress || c.Address > maxAddress) {
		add("address", fmt.Errorf("%#02x is not in %#02x to %#02x", c.Address, minAddress, maxAddress))
	}
	if t := c.Interval.Std(); t < MinInterval || t > MaxInterval {
		add("interval", fmt.Errorf("%v is not in %v to %v", t, MinInterval, MaxInterval))
	}
	if t := c.Timeout.Std(); t < MinTimeout || t > MaxTimeout {
		add("timeout", fmt.Errorf("%v is not in %v to %v", t, MinTimeout, MaxTimeout))
	}
	words := []string{StartupFail, StartupIgnore, StartupRetry, StartupProbe}
	if !slices.Contains(words, c.StartupError) {
		add("startup_error", fmt.Errorf("%q is not one of: %s", c.StartupError, strings.Join(words, ", ")))
	}
	for _, reading := range slices.Sorted(maps.Keys(c.Channels)) {
		if known && !d.has(reading) {
			add("channels", fmt.Errorf("driver %s has no reading %q, only: %s", c.Driver, reading, d.names()))
		}
	}
}

func (c *Config) checkReplay(add func(string, error)) {
	if c.File == "" {
		add("file", errors.New("required: a CSV file with a header"))
	}
	if len(c.Time) == 0 {
		add("time", errors.New("required: the columns that make up the time"))
	}
	if c.Format == "" {
		add("format", errors.New(`required: how the time is written, as a Go layout such as "2006-01-02 15:04:05"`))
	}
	_, err := parseSpeed(c.Speed)
	add("speed", err)
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		add("zone", fmt.Errorf("%w: give UTC, Local, or a name such as Europe/Berlin from this machine's time zone data", err))
		return
	}
	if c.Format != "" {
		_, err = parseUnplug(c.Unplug, c.Format, zone)
		add("unplug", err)
	}
}

func checkAlias(alias string) error {
	for _, r := range alias {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return fmt.Errorf("%q: an alias has a-z, 0-9, _ and - only", alias)
		}
	}
	switch {
	case alias == "":
		return errors.New("required: a name of a-z, 0-9, _ and -")
	case len(alias) > maxName:
		return fmt.Errorf("longer than %d bytes", maxName)
	}
	return nil
}

func checkKind(kind string) error {
	const known = I2C + ", " + Push + ", " + Recorded
	switch {
	case kind == I2C || kind == Push || kind == Recorded:
		return nil
	case kind == "":
		return errors.New("required: one of " + known)
	case slices.Contains(laterKinds, kind):
		return fmt.Errorf("this build does not have %s yet; it has %s", kind, known)
	}
	return fmt.Errorf("%q is not one of: %s", kind, known)
}

// checkChannels refuses names that cannot be shown and two sources of one
// channel.
func checkChannels(channels map[string]string) error {
	source := map[string]string{}
	for _, from := range slices.Sorted(maps.Keys(channels)) {
		channel := channels[from]
		if err := checkChannel(channel); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		if other, taken := source[channel]; taken {
			return fmt.Errorf("%s and %s are both called %q", other, from, channel)
		}
		source[channel] = from
	}
	return nil
}

func checkChannel(name string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if name == "" || len(name) > maxName || strings.TrimSpace(name) != name || strings.ContainsFunc(name, unprintable) {
		return fmt.Errorf("%.40q is no channel name: 1 to %d printable bytes with no space at either end", name, maxName)
	}
	return nil
}
