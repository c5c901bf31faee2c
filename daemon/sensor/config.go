package sensor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Config is one [[sensor]] block. Each kind reads the keys it knows and refuses
// the others; a key that is left out has its zero value here and the default of
// WithDefaults.
type Config struct {
	// Alias names the sensor in messages and metrics: a-z, 0-9, _ and -.
	Alias string `toml:"alias"`
	// Type is the kind: see the constants.
	Type string `toml:"type"`
	// Channels says under which channel each value is kept. Its keys are what the
	// driver reads ("lux"); a reading that is not listed is left out, and without
	// the table the channel of each is "alias.reading", as in "desk-light.lux". For
	// hwmon and iio they are inputs of the kernel ("temp1", "voltage0"). For push
	// and exec they are names in what other processes send. For replay they are
	// columns; without the table every column but the times and the label is a
	// channel of its own name.
	Channels map[string]string `toml:"channels"`

	// Driver is the chip for i2c and spi, and for hwmon and iio the name that the
	// kernel gives the device. Bus is the number N of /dev/i2c-N; for spi B.C of
	// /dev/spidevB.C; for the others it tells devices of the same name apart: for
	// hwmon and iio the last element of the link "device", for gpio the chip's
	// label. Address is the chip's own one unless the board sets another.
	Driver  string `toml:"driver"`
	Bus     string `toml:"bus"`
	Address uint16 `toml:"address"`
	// Setup and Registers are for driver "registers": what to write into the chip
	// when it is configured, a register and its bytes in each line, and what to
	// read from it then.
	Setup     [][]uint8  `toml:"setup"`
	Registers []Register `toml:"registers"`
	// Reference is the voltage that a converter's full scale stands for, 3.3 by
	// default. For spi only.
	Reference float64 `toml:"reference"`
	// For gpio only: the line's name, "pull-up", "pull-down" or "none", whether
	// low counts as 1, and how long a level must last to count.
	Line      string           `toml:"line"`
	Bias      string           `toml:"bias"`
	ActiveLow bool             `toml:"active_low"`
	Debounce  encoder.Duration `toml:"debounce"`
	// For exec, audio and camera: the program and its arguments. DataFormat is what
	// the lines of exec are, or the messages of mqtt.
	Command    []string `toml:"command"`
	DataFormat string   `toml:"data_format"`
	// For mqtt only: the broker as in a sink, the topic with its wildcards, and the
	// one on which the device is said to be online or offline.
	URL          string `toml:"url"`
	Username     string `toml:"username"`
	PasswordFile string `toml:"password_file"`
	CAFile       string `toml:"ca_file"`
	Topic        string `toml:"topic"`
	Availability string `toml:"availability"`
	// Device is the microphone in ALSA's words, or the camera: its file, or the
	// name that the kernel gives it. Rate is that of the microphone's samples, in
	// hertz. Bands are such as "125-250Hz", Mels is the number of mel filters, Grid
	// the rows and columns of a camera's patches, such as "4x4".
	Device string   `toml:"device"`
	Rate   int      `toml:"rate"`
	Bands  []string `toml:"bands"`
	Mels   int      `toml:"mels"`
	Grid   string   `toml:"grid"`
	// For iio only: the name of a trigger, and how many scans the kernel's buffer
	// holds. Either of them has the device read through its buffer.
	Trigger string `toml:"trigger"`
	Buffer  int    `toml:"buffer"`
	// Interval is the time between readings, Timeout how long one may take
	// before the sensor counts as failed; for exec, how long its program may
	// print nothing.
	Interval encoder.Duration `toml:"interval"`
	Timeout  encoder.Duration `toml:"timeout"`
	// StartupError says what happens when the first reading fails, in Telegraf's
	// words: see the constants.
	StartupError string `toml:"startup_error"`
	// FrozenAfter is how long all values may stay equal to the last digit before
	// Frozen says what becomes of the sensor. Polled kinds only; 0 is the driver's
	// own, which most do not have.
	FrozenAfter encoder.Duration `toml:"frozen_after"`
	Frozen      string           `toml:"frozen"`
	// Ranges are the smallest and the largest value of a reading that can be true,
	// by the names that Channels has them under, and OutOfRange says what becomes of
	// others.
	Ranges     map[string][2]float64 `toml:"ranges"`
	OutOfRange string                `toml:"out_of_range"`
	// Reinit is the time after which a chip is configured again although nothing is
	// wrong, 0 for never. For i2c only.
	Reinit encoder.Duration `toml:"reinit"`

	// Replay only. The cells of the columns Time, joined by a space, are read
	// with the Go layout Format in the time zone Zone.
	File   string   `toml:"file"`
	Time   []string `toml:"time"`
	Format string   `toml:"format"`
	Zone   string   `toml:"zone"`
	// Label is the column that says what was true; see Reading.Label. For gpio it
	// is what becomes true when the line does, and ceases to be the next time.
	Label string `toml:"label"`
	// For training, columns of a CSV file that say which of several recordings in
	// one file a row belongs to, what it is to be used for (train, validation, test),
	// and the number to be learnt. Where keeps only the rows with these texts in
	// these columns.
	Group  string            `toml:"group"`
	Split  string            `toml:"split"`
	Target string            `toml:"target"`
	Where  map[string]string `toml:"where"`
	// Speed is how much faster than life to replay, a number or "max".
	Speed string `toml:"speed"`
	// Unplug lists stretches of the recording, [from, to) in the form of
	// Format, during which the sensor fails as if its cable were out.
	Unplug [][2]string `toml:"unplug"`

	files []string // what File stands for, where one name is not enough
}

// Kinds of sensors that this build has.
const (
	I2C   = "i2c"
	SPI   = "spi"
	GPIO  = "gpio"
	IIO   = "iio"
	HWMon = "hwmon"
	// Audio is a microphone, Camera a camera.
	Audio  = "audio"
	Camera = "camera"
	Exec   = "exec"
	MQTT   = "mqtt"
	Push   = "push"
	// Recorded is the kind that a Replay plays.
	Recorded = "replay"
)

// kinds are all of them, and polledKinds those that a Poller reads.
var (
	kinds       = []string{I2C, SPI, GPIO, IIO, HWMon, Audio, Camera, Exec, MQTT, Push, Recorded}
	polledKinds = []string{I2C, SPI, GPIO, IIO, HWMon}
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
	d := c.driver()
	switch c.Type {
	case I2C:
		if c.Address == 0 {
			c.Address = d.address
		}
	case SPI:
		c.Reference = cmp.Or(c.Reference, 3.3)
	case GPIO:
		d.interval = 100 * time.Millisecond
	case Exec:
		set(&c.StartupError, StartupRetry)
		set(&c.DataFormat, FormatJSON)
		c.Timeout = cmp.Or(c.Timeout, encoder.Duration(time.Minute))
	case MQTT:
		set(&c.DataFormat, FormatJSON)
	case Audio:
		c.audioDefaults()
	case Camera:
		c.cameraDefaults()
	case IIO:
		c.bufferDefaults()
	case Recorded:
		set(&c.Zone, "UTC")
		set(&c.Speed, "1")
	}
	if slices.Contains(polledKinds, c.Type) {
		set(&c.StartupError, StartupRetry)
		c.Interval = cmp.Or(c.Interval, encoder.Duration(cmp.Or(d.interval, time.Second)))
		c.Timeout = cmp.Or(c.Timeout, encoder.Duration(cmp.Or(d.timeout, 200*time.Millisecond)))
	}
	return c
}

// ChannelNames returns the channels that the sensor delivers, sorted. They are
// nil for a recording without a table of channels: its file has them, see
// Replay.Channels.
func (c Config) ChannelNames() []string {
	if slices.Contains(polledKinds, c.Type) || c.Type == Audio || c.Type == Camera {
		var names []string
		for _, r := range c.readings() {
			if channel := c.channel(r.name); channel != "" {
				names = append(names, channel)
			}
		}
		slices.Sort(names)
		return names
	}
	return slices.Sorted(maps.Values(c.Channels))
}

// Unit is that of a channel the sensor delivers, "" where only the device or
// program knows it.
func (c Config) Unit(channel string) string {
	for _, r := range c.readings() {
		if c.channel(r.name) == channel {
			return r.unit
		}
	}
	return ""
}

// Place says what of the hardware the sensor has for itself, as "address 0x23 on
// bus 1"; empty when others may read the same.
func (c Config) Place() string {
	c = c.WithDefaults()
	switch c.Type {
	case I2C:
		return fmt.Sprintf("address %#02x on bus %s", c.Address, c.Bus)
	case SPI:
		return "SPI bus " + c.Bus
	case GPIO:
		return strings.TrimSuffix("GPIO line "+c.Line+" of "+c.Bus, " of ")
	case IIO:
		if c.buffered() {
			return strings.TrimSuffix("the buffer of "+c.Driver+" on "+c.Bus, " on ")
		}
	case Camera:
		if c.Device != "" {
			return "camera " + c.Device
		}
	}
	return ""
}

// readings returns what a sensor of the machine can deliver. What a device of the kernel
// has is known only where it runs, so it is what the table of channels asks for.
func (c *Config) readings() []reading {
	unit := hwmonUnit
	switch c.Type {
	case I2C:
		return c.driver().readings
	case SPI:
		return spiTable[c.Driver].readings
	case GPIO:
		return gpioReadings
	case Audio:
		return c.audioReadings()
	case Camera:
		return c.cameraReadings()
	case IIO:
		unit = iioUnit
	}
	names := slices.Sorted(maps.Keys(c.Channels))
	if len(names) == 0 && c.Type == HWMon {
		names = []string{hwmonReading}
	}
	var all []reading
	for _, name := range names {
		u, _, _ := unit(name)
		all = append(all, reading{name, u})
	}
	return all
}

// channel returns the channel of a driver's reading, "" if it is not wanted.
func (c Config) channel(reading string) string {
	if len(c.Channels) == 0 {
		return c.Alias + "." + reading
	}
	return c.Channels[reading]
}
