package sensor

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// checkPolled checks what all polled kinds have.
func (c *Config) checkPolled(add func(string, error)) {
	if t := c.Interval.Std(); t < MinInterval || t > MaxInterval {
		add("interval", fmt.Errorf("%v is not in %v to %v", t, MinInterval, MaxInterval))
	}
	if t := c.Timeout.Std(); t < MinTimeout || t > MaxTimeout {
		add("timeout", fmt.Errorf("%v is not in %v to %v", t, MinTimeout, MaxTimeout))
	}
	add("startup_error", oneOf(c.StartupError, startupWords))
	c.checkFrozen(add)
	if t := c.Reinit.Std(); c.Reinit != 0 && (t < minReinit || t > MaxInterval) {
		add("reinit", fmt.Errorf("%v is not in %v to %v", t, minReinit, MaxInterval))
	}
}

// minReinit keeps a chip from being configured rather than read.
const minReinit = 10 * time.Second

var startupWords = []string{StartupFail, StartupIgnore, StartupRetry, StartupProbe}

func oneOf(word string, words []string) error {
	if !slices.Contains(words, word) {
		return fmt.Errorf("%q is not one of: %s", word, strings.Join(words, ", "))
	}
	return nil
}

// checkReadings refuses channels of what is no reading.
func (c *Config) checkReadings(all []reading) error {
	d := driver{readings: all}
	for _, reading := range slices.Sorted(maps.Keys(c.Channels)) {
		if !d.has(reading) {
			return fmt.Errorf("%s has no reading %q, only: %s", strings.TrimSpace(c.Type+" "+c.Driver), reading, d.names())
		}
	}
	return nil
}

func (c *Config) checkSPI(add func(string, error)) {
	d, known := spiTable[c.Driver]
	if !known {
		add("driver", oneOf(c.Driver, slices.Sorted(maps.Keys(spiTable))))
	} else {
		add("channels", c.checkReadings(d.readings))
	}
	var bus, chip int
	if n, err := fmt.Sscanf(c.Bus, "%d.%d", &bus, &chip); n != 2 || err != nil || fmt.Sprintf("%d.%d", bus, chip) != c.Bus {
		add("bus", fmt.Errorf(`%q is not the B.C of a /dev/spidevB.C, as in "0.0"`, c.Bus))
	}
	if !(c.Reference > 0 && c.Reference <= 10) {
		add("reference", fmt.Errorf("%v V is not above 0 and up to 10", c.Reference))
	}
}

// maxDebounce is the longest time that is still a bouncing contact.
const maxDebounce = time.Second

func (c *Config) checkGPIO(add func(string, error)) {
	add("channels", c.checkReadings(gpioReadings))
	if c.Line == "" || len(c.Line) > 31 {
		add("line", errors.New(`required: the name of a line, as in "GPIO17"; gpioinfo lists them`))
	}
	if c.Bias != "" {
		add("bias", oneOf(c.Bias, []string{PullUp, PullDown, PullNone}))
	}
	if level, edges := c.LineChannels(); c.Label != "" && (level == "" || edges == "") {
		add("label", errors.New("a button needs both channels, level and edges"))
	}
	if len(c.Label) > maxName || strings.TrimSpace(c.Label) != c.Label {
		add("label", fmt.Errorf("%.40q: want at most %d bytes without space at either end", c.Label, maxName))
	}
	if t := c.Debounce.Std(); t < 0 || t > maxDebounce {
		add("debounce", fmt.Errorf("%v is not in 0s to %v", t, maxDebounce))
	}
}

// checkKernelDevice checks what leads to a device in sysfs.
func (c *Config) checkKernelDevice(add func(string, error)) {
	if c.Driver == "" {
		add("driver", fmt.Errorf("required: the name that the kernel gives the device; ragedge sensors scan lists them"))
	}
	if strings.Contains(c.Bus, "/") {
		add("bus", fmt.Errorf("%q is not the name of a device", c.Bus))
	}
	c.checkBuffer(add)
	unit, example := hwmonUnit, "temp1, in0, curr1, power1, fan1, humidity1"
	if c.Type == IIO {
		unit, example = iioUnit, "temp, pressure, voltage0, accel_x"
		if len(c.Channels) == 0 {
			add("channels", fmt.Errorf("required: which inputs to read, such as %s", example))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Channels)) {
		if _, _, known := unit(name); !known || strings.Contains(name, "/") {
			add("channels", fmt.Errorf("%q is no input such as %s", name, example))
		}
	}
}

// maxSilence bounds the timeout of a program, which may print seldom.
const maxSilence = 24 * time.Hour

func (c *Config) checkExec(add func(string, error)) {
	if len(c.Command) == 0 || c.Command[0] == "" {
		add("command", errors.New(`required: a program and its arguments, as in ["/usr/local/bin/weather", "--json"]`))
	} else if !filepath.IsAbs(c.Command[0]) {
		add("command", fmt.Errorf("%q is not an absolute path", c.Command[0]))
	}
	add("data_format", oneOf(c.DataFormat, []string{FormatJSON, FormatCSV, FormatInflux}))
	add("startup_error", oneOf(c.StartupError, startupWords))
	if t := c.Timeout.Std(); t < MinTimeout || t > maxSilence {
		add("timeout", fmt.Errorf("%v is not in %v to %v", t, MinTimeout, maxSilence))
	}
	if len(c.Channels) == 0 {
		add("channels", errors.New("required: which names of its lines to keep, and the channel of each"))
	}
}
