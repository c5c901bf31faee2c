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
			add(k.name, fmt.Errorf("a key of type %s, which type %s does not have", strings.Join(k.kinds, ", "), c.Type))
		}
	}
	add("channels", checkChannels(c.Channels))
	c.checkRanges(add)
	c = c.WithDefaults()
	if slices.Contains(polledKinds, c.Type) {
		c.checkPolled(add)
	}
	switch c.Type {
	case I2C:
		c.checkI2C(add)
	case SPI:
		c.checkSPI(add)
	case GPIO:
		c.checkGPIO(add)
	case HWMon, IIO:
		c.checkKernelDevice(add)
	case Audio:
		c.checkAudio(add)
	case Camera:
		c.checkCamera(add)
	case Exec:
		c.checkExec(add)
	case MQTT:
		c.checkMQTT(add)
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
	chips, replay, broker := []string{I2C}, []string{Recorded}, []string{MQTT}
	return []key{
		{"driver", c.Driver != "", []string{I2C, SPI, IIO, HWMon}},
		{"bus", c.Bus != "", polledKinds},
		{"address", c.Address != 0, chips},
		{"setup", c.Setup != nil, chips},
		{"registers", c.Registers != nil, chips},
		{"reference", c.Reference != 0, []string{SPI}},
		{"line", c.Line != "", []string{GPIO}},
		{"bias", c.Bias != "", []string{GPIO}},
		{"active_low", c.ActiveLow, []string{GPIO}},
		{"debounce", c.Debounce != 0, []string{GPIO}},
		{"command", c.Command != nil, []string{Exec, Audio, Camera}},
		{"device", c.Device != "", []string{Audio, Camera}},
		{"rate", c.Rate != 0, []string{Audio}},
		{"bands", c.Bands != nil, []string{Audio}},
		{"mels", c.Mels != 0, []string{Audio}},
		{"grid", c.Grid != "", []string{Camera}},
		{"trigger", c.Trigger != "", []string{IIO}},
		{"buffer", c.Buffer != 0, []string{IIO}},
		{"data_format", c.DataFormat != "", []string{Exec, MQTT}},
		{"url", c.URL != "", broker},
		{"username", c.Username != "", broker},
		{"password_file", c.PasswordFile != "", broker},
		{"ca_file", c.CAFile != "", broker},
		{"topic", c.Topic != "", broker},
		{"availability", c.Availability != "", broker},
		{"interval", c.Interval != 0, slices.Concat(polledKinds, []string{Audio, Camera})},
		{"timeout", c.Timeout != 0, slices.Concat([]string{Exec}, polledKinds, []string{Audio, Camera})},
		{"startup_error", c.StartupError != "", slices.Concat([]string{Exec}, polledKinds, []string{Audio, Camera})},
		{"frozen_after", c.FrozenAfter != 0, polledKinds},
		{"frozen", c.Frozen != "", polledKinds},
		{"ranges", c.Ranges != nil, rangedKinds},
		{"out_of_range", c.OutOfRange != "", rangedKinds},
		{"reinit", c.Reinit != 0, chips},
		{"file", c.File != "", replay},
		{"time", c.Time != nil, replay},
		{"format", c.Format != "", replay},
		{"zone", c.Zone != "", replay},
		{"label", c.Label != "", append([]string{GPIO}, replay...)},
		{"group", c.Group != "", replay},
		{"split", c.Split != "", replay},
		{"target", c.Target != "", replay},
		{"where", c.Where != nil, replay},
		{"speed", c.Speed != "", replay},
		{"unplug", c.Unplug != nil, replay},
	}
}

func (c *Config) checkI2C(add func(string, error)) {
	d, known := c.driver(), c.Driver == Registers || table[c.Driver].open != nil
	switch {
	case !known:
		add("driver", fmt.Errorf("%q is not one of: %s, %s", c.Driver, strings.Join(slices.Sorted(maps.Keys(table)), ", "), Registers))
	case c.Driver == Registers:
		add("registers", checkRegisters(c.Registers))
		for i, line := range c.Setup {
			if len(line) == 0 || len(line) > maxSetup {
				add("setup", fmt.Errorf("%d: %d bytes are not 1 to %d", i+1, len(line), maxSetup))
			}
		}
	case c.Registers != nil:
		add("registers", fmt.Errorf("a key of driver %s, which driver %s does not have", Registers, c.Driver))
	case c.Setup != nil:
		add("setup", fmt.Errorf("a key of driver %s, which driver %s does not have", Registers, c.Driver))
	}
	if n, err := strconv.Atoi(c.Bus); err != nil || n < 0 || n > maxBus || strconv.Itoa(n) != c.Bus {
		add("bus", fmt.Errorf(`%q is not the number N of a /dev/i2c-N, as in "1"`, c.Bus))
	}
	if known && d.fixed && c.Address != d.address {
		add("address", fmt.Errorf("%#02x: a %s is always at %#02x", c.Address, c.Driver, d.address))
	}
	if known && (c.Address < minAddress || c.Address > maxAddress) {
		add("address", fmt.Errorf("%#02x is not in %#02x to %#02x", c.Address, minAddress, maxAddress))
	}
	if known {
		add("channels", c.checkReadings(d.readings))
	}
}

func (c *Config) checkReplay(add func(string, error)) {
	if c.File == "" {
		add("file", errors.New("required: a CSV file with a header, or an MCAP file of this daemon"))
	}
	if c.IsTape() {
		c.checkTape(add)
		return
	}
	if len(c.Time) == 0 {
		add("time", errors.New("required: the columns that make up the time"))
	}
	if c.Format == "" {
		add("format", errors.New(`required: how the time is written, as a Go layout such as "2006-01-02 15:04:05", or "seconds"`))
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
	known := strings.Join(kinds, ", ")
	switch {
	case slices.Contains(kinds, kind):
		return nil
	case kind == "":
		return errors.New("required: one of " + known)
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
