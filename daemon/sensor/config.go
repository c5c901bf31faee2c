package sensor

import (
	"maps"
	"slices"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Config is one [[sensor]] block. Each kind reads the keys it knows and refuses
// the others; a key that is left out has its zero value here and the default of
// WithDefaults.
type Config struct {
	// Alias names the sensor in messages and metrics: a-z, 0-9, _ and -.
	Alias string `toml:"alias"`
	// Type is the kind: "i2c", "push" or "replay".
	Type string `toml:"type"`
	// Channels says under which channel each value is kept. For i2c the keys are
	// the driver's readings ("lux"); a reading that is not listed is left out,
	// and without the table the channel of each is "alias.reading", as in
	// "desk-light.lux". For push they are the names that other processes send.
	// For replay they are columns; without the table every column but the times
	// and the label is a channel of its own name.
	Channels map[string]string `toml:"channels"`

	// Polled sensors only (i2c). Driver is the chip, Bus the number N of
	// /dev/i2c-N, Address the chip's own one unless the board sets another.
	Driver  string `toml:"driver"`
	Bus     string `toml:"bus"`
	Address uint16 `toml:"address"`
	// Interval is the time between readings, Timeout how long one may take
	// before the sensor counts as failed.
	Interval encoder.Duration `toml:"interval"`
	Timeout  encoder.Duration `toml:"timeout"`
	// StartupError says what happens when the first reading fails, in Telegraf's
	// words: see the constants.
	StartupError string `toml:"startup_error"`

	// Replay only. The cells of the columns Time, joined by a space, are read
	// with the Go layout Format in the time zone Zone.
	File   string   `toml:"file"`
	Time   []string `toml:"time"`
	Format string   `toml:"format"`
	Zone   string   `toml:"zone"`
	// Label is the column that says what was true; see Reading.Label.
	Label string `toml:"label"`
	// Speed is how much faster than life to replay, a number or "max".
	Speed string `toml:"speed"`
	// Unplug lists stretches of the recording, [from, to) in the form of
	// Format, during which the sensor fails as if its cable were out.
	Unplug [][2]string `toml:"unplug"`
}

// Kinds of sensors that this build has.
const (
	I2C  = "i2c"
	Push = "push"
	// Recorded is the kind that a Replay plays.
	Recorded = "replay"
)

// Words of startup_error.
const (
	// StartupFail ends the run when the first reading fails.
	StartupFail = "error"
	// StartupIgnore leaves the sensor out when its first reading fails.
	StartupIgnore = "ignore"
	// StartupRetry keeps trying, the default.
	StartupRetry = "retry"
	// StartupProbe does what StartupIgnore does, but the run counts as started
	// only when the first reading has come or failed.
	StartupProbe = "probe"
)

// WithDefaults returns c with every key that its kind has and that was left out
// at its default.
func (c Config) WithDefaults() Config {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	switch c.Type {
	case I2C:
		set(&c.StartupError, StartupRetry)
		if c.Interval == 0 {
			c.Interval = encoder.Duration(time.Second)
		}
		if c.Timeout == 0 {
			c.Timeout = encoder.Duration(200 * time.Millisecond)
		}
		if c.Address == 0 {
			c.Address = table[c.Driver].address
		}
	case Recorded:
		set(&c.Zone, "UTC")
		set(&c.Speed, "1")
	}
	return c
}

// ChannelNames returns the channels that the sensor delivers, sorted. They are
// nil for a recording without a table of channels: its file has them, see
// Replay.Channels.
func (c Config) ChannelNames() []string {
	if c.Type == I2C {
		var names []string
		for _, r := range table[c.Driver].readings {
			if channel := c.channel(r.name); channel != "" {
				names = append(names, channel)
			}
		}
		slices.Sort(names)
		return names
	}
	return slices.Sorted(maps.Values(c.Channels))
}

// channel returns the channel of a driver's reading, "" if it is not wanted.
func (c Config) channel(reading string) string {
	if len(c.Channels) == 0 {
		return c.Alias + "." + reading
	}
	return c.Channels[reading]
}
