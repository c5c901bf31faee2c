package sensor

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Bounds of a microphone's frames.
const (
	minRate  = 4000
	maxRate  = 192000
	maxBands = 32
	// A frame of 10 ms has a spectrum in steps of 100 to 200 Hz.
	minFrame = 10 * time.Millisecond
	maxFrame = 10 * time.Second
)

func (c *Config) audioDefaults() {
	if len(c.Command) == 0 && c.Device == "" {
		c.Device = "default"
	}
	if c.Rate == 0 {
		c.Rate = 16000
	}
	if c.Interval == 0 {
		c.Interval = encoder.Duration(100 * time.Millisecond)
	}
	c.streamDefaults()
}

// streamDefaults are those of what delivers by itself, at an interval that is set.
func (c *Config) streamDefaults() {
	if c.Timeout == 0 {
		c.Timeout = max(3*c.Interval, encoder.Duration(time.Second))
	}
	if c.StartupError == "" {
		c.StartupError = StartupRetry
	}
}

// checkStream checks the times of what delivers by itself.
func (c *Config) checkStream(add func(string, error), least, most time.Duration) {
	if t := c.Interval.Std(); t < least || t > most {
		add("interval", fmt.Errorf("%v is not in %v to %v", t, least, most))
	}
	if t := c.Timeout.Std(); t < MinTimeout || t > maxSilence {
		add("timeout", fmt.Errorf("%v is not in %v to %v", t, MinTimeout, maxSilence))
	}
	add("startup_error", oneOf(c.StartupError, startupWords))
}

func (c *Config) checkCommand(add func(string, error)) {
	if c.Command[0] == "" || !filepath.IsAbs(c.Command[0]) {
		add("command", fmt.Errorf("%q is not an absolute path", c.Command[0]))
	}
}

// audioReadings: powers are relative to full scale, where a square wave is at 0
// and a sine at -3.
func (c *Config) audioReadings() []reading {
	all := []reading{{"level", "dBFS"}, {"peak", "dBFS"}}
	for i := range c.Bands {
		all = append(all, reading{"band" + strconv.Itoa(i+1), "dBFS"})
	}
	for i := range min(max(c.Mels, 0), encoder.MaxMels) {
		all = append(all, reading{"mel" + strconv.Itoa(i+1), "dBFS"})
	}
	return all
}

// audioCommand is what delivers the samples.
func (c *Config) audioCommand() []string {
	if len(c.Command) > 0 {
		return c.Command
	}
	return []string{"arecord", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", strconv.Itoa(c.Rate), "-D", c.Device, "-"}
}

func (c *Config) checkAudio(add func(string, error)) {
	switch {
	case len(c.Command) > 0 && c.Device != "":
		add("device", errors.New("the command says where sound comes from: leave device out, or command"))
	case len(c.Command) > 0:
		c.checkCommand(add)
	case len(c.Device) > maxName || strings.HasPrefix(c.Device, "-"):
		add("device", fmt.Errorf(`%.40q is not a device of ALSA, as in "plughw:CARD=Device"; arecord -L lists them`, c.Device))
	}
	if len(c.Bands) > maxBands {
		add("bands", fmt.Errorf("%d are more than %d", len(c.Bands), maxBands))
	}
	if c.Rate < minRate || c.Rate > maxRate {
		add("rate", fmt.Errorf("%d Hz is not in %d to %d", c.Rate, minRate, maxRate))
		return
	}
	c.checkStream(add, minFrame, maxFrame)
	if c.Timeout < c.Interval {
		add("timeout", fmt.Errorf("%v: a frame of sound takes the interval, %v", c.Timeout.Std(), c.Interval.Std()))
	}
	if t := c.Interval.Std(); t < minFrame || t > maxFrame {
		return
	}
	add("channels", c.checkReadings(c.audioReadings()))
	_, err := newHearing(c)
	var wrong *keyError
	if errors.As(err, &wrong) {
		add(wrong.key, wrong.err)
	}
}

// keyError is an error of one key.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }

func (e *keyError) Unwrap() error { return e.err }
