package sensor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Scans is the buffer of an IIO device.
type Scans interface {
	// Read takes what is there, waiting for it up to a time; ErrTimeout says that
	// nothing came.
	Read(data []byte, wait time.Duration) (int, error)
	// Age is how long ago a moment was on a clock in the kernel's words, such as
	// realtime; it is false for one that is not known.
	Age(clock string, nanoseconds int64) (time.Duration, bool)
	Close() error
}

// OpenScans opens the buffer of a device, such as iio:device0.
type OpenScans func(name string) (Scans, error)

const (
	defaultScans = 128
	maxScans     = 4096
)

// buffered says that a device is read through its buffer.
func (c *Config) buffered() bool { return c.Type == IIO && (c.Trigger != "" || c.Buffer != 0) }

func (c *Config) bufferDefaults() {
	if !c.buffered() {
		return
	}
	if c.Buffer == 0 {
		c.Buffer = defaultScans
	}
	if c.Interval == 0 {
		c.Interval = encoder.Duration(100 * time.Millisecond)
	}
	if c.Timeout == 0 {
		c.Timeout = encoder.Duration(min(max(3*c.Interval.Std(), time.Second), MaxTimeout))
	}
}

func (c *Config) checkBuffer(add func(string, error)) {
	if c.buffered() && (c.Buffer < 2 || c.Buffer > maxScans) {
		add("buffer", fmt.Errorf("%d scans are not 2 to %d", c.Buffer, maxScans))
	}
	if strings.ContainsAny(c.Trigger, "/\n") || len(c.Trigger) > maxName {
		add("trigger", fmt.Errorf("%.40q is not the name of a trigger", c.Trigger))
	}
}

// scanner reads the scans of a device.
type scanner struct {
	p        *Program
	dir      string // in sysfs
	elements []*element
	stamp    *element // the time, nil without one
	clock    string
	length   int // of a scan
	// channel of each element that has one, by its place in elements.
	channels []string
	last     time.Duration // when the scans before were read
}

// scans has the kernel fill a device's buffer, and empties it at every interval.
func (p *Program) scans(ctx context.Context, deliver func(Reading)) (good bool, err error) {
	dir, err := findDevice(p.hardware.Sysfs, iioClass, "name", p.config.Driver, p.config.Bus)
	if err != nil {
		return false, err
	}
	s := &scanner{p: p, dir: dir}
	enabled, err := s.arrange()
	if enabled {
		defer s.set("buffer/enable", "0") // what is gone needs no switching off
	}
	if err != nil {
		return false, err
	}
	device, err := p.hardware.Scans(path.Base(dir))
	if err != nil {
		return false, iioFailure(err)
	}
	defer device.Close()
	return s.run(ctx, device, deliver)
}

func (s *scanner) run(ctx context.Context, device Scans, deliver func(Reading)) (good bool, err error) {
	p, interval, timeout := s.p, s.p.config.Interval.Std(), s.p.config.Timeout.Std()
	data, begun := make([]byte, s.p.config.Buffer*s.length), 0
	timer := time.NewTimer(interval)
	defer timer.Stop()
	s.last = p.now()
	for ctx.Err() == nil {
		n, err := device.Read(data[begun:], min(glance, timeout))
		now := p.now()
		switch {
		case errors.Is(err, ErrTimeout) && now-s.last < timeout:
			continue
		case errors.Is(err, ErrTimeout):
			return good, fmt.Errorf("%w: the buffer stayed empty for %v: is its trigger running?", err, timeout)
		case err != nil:
			return good, iioFailure(err)
		}
		n += begun
		whole := n / s.length * s.length
		s.take(data[:whole], now, device)
		begun = copy(data, data[whole:n])
		if whole == 0 {
			continue
		}
		p.deliver(deliver, Reading{Samples: p.samples})
		good, s.last = true, now
		if n == len(data) {
			p.overruns.Add(1) // as much as the kernel keeps: what came then is lost
			continue
		}
		timer.Reset(interval)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return good, nil
}

// take makes samples of whole scans that were read at a moment. Without times of
// their own they are spread evenly over the time since the scans before.
func (s *scanner) take(data []byte, now time.Duration, device Scans) {
	p := s.p
	p.samples = p.samples[:0]
	count := len(data) / s.length
	for k := range count {
		scan := data[k*s.length : (k+1)*s.length]
		at := s.last + (now-s.last)*time.Duration(k+1)/time.Duration(count)
		if s.stamp != nil {
			// A clock that was set in between says nothing.
			if age, ok := device.Age(s.clock, s.stamp.raw(scan)); ok && age >= 0 && age < time.Minute {
				at = now - age
			}
		}
		for i, e := range s.elements {
			if e.sample {
				v := (float64(e.raw(scan)) + e.offset) * e.scale
				p.samples = append(p.samples, encoder.Sample{Channel: s.channels[i], At: at, Value: v})
			}
		}
	}
}

// set writes an attribute of the device unless it says so already: where sysfs is
// read-only for the daemon, root can arrange the buffer beforehand.
func (s *scanner) set(name, value string) error {
	file := path.Join(s.dir, name)
	if text, err := readText(s.p.hardware.Sysfs, file); err == nil && text == value {
		return nil
	}
	if err := s.p.hardware.SetSysfs(file, value); err != nil {
		return iioFailure(fmt.Errorf("%s = %s: %w", name, value, err))
	}
	return nil
}

// arrange has the buffer filled with the channels that are asked for. It says
// whether it switched the buffer on.
func (s *scanner) arrange() (enabled bool, err error) {
	c := &s.p.config
	if !exists(s.p.hardware.Sysfs, path.Join(s.dir, "buffer/enable")) {
		return false, fmt.Errorf("%s has no buffer: leave trigger and buffer out, and it is polled", c.Driver)
	}
	if s.arranged() {
		return false, s.describe()
	}
	if err := s.set("buffer/enable", "0"); err != nil {
		return false, err
	}
	for _, name := range s.scanNames() {
		value := "0"
		if s.wants(name) {
			value = "1"
		}
		if err := s.set("scan_elements/in_"+name+"_en", value); err != nil {
			return false, err
		}
	}
	if c.Trigger != "" {
		if err := s.set("trigger/current_trigger", c.Trigger); err != nil {
			return false, fmt.Errorf("%w; triggers are: %s", err, strings.Join(s.triggers(), ", "))
		}
	}
	if err := s.set("buffer/length", strconv.Itoa(c.Buffer)); err != nil {
		return false, err
	}
	if err := s.describe(); err != nil {
		return false, err
	}
	return true, s.set("buffer/enable", "1")
}

// arranged says whether the buffer runs already as it should.
func (s *scanner) arranged() bool {
	c := &s.p.config
	is := func(name, value string) bool {
		text, err := readText(s.p.hardware.Sysfs, path.Join(s.dir, name))
		return err == nil && text == value
	}
	for _, r := range c.readings() {
		if !is("scan_elements/in_"+r.name+"_en", "1") {
			return false
		}
	}
	return is("buffer/enable", "1") && is("buffer/length", strconv.Itoa(c.Buffer)) && (c.Trigger == "" || is("trigger/current_trigger", c.Trigger))
}

// timestamp is the channel of the scan's time.
const timestamp = "timestamp"

func (s *scanner) wants(name string) bool {
	return name == timestamp || slices.ContainsFunc(s.p.config.readings(), func(r reading) bool { return r.name == name })
}

// scanNames lists the channels that the buffer can have.
func (s *scanner) scanNames() (names []string) {
	entries, _ := fs.ReadDir(s.p.hardware.Sysfs, path.Join(s.dir, "scan_elements"))
	for _, e := range entries {
		name, in := strings.CutPrefix(e.Name(), "in_")
		if name, en := strings.CutSuffix(name, "_en"); in && en {
			names = append(names, name)
		}
	}
	return names
}

func (s *scanner) triggers() (names []string) {
	for _, dir := range devices(s.p.hardware.Sysfs, iioClass) {
		if strings.HasPrefix(path.Base(dir), "trigger") {
			name, _ := readText(s.p.hardware.Sysfs, path.Join(dir, "name"))
			names = append(names, name)
		}
	}
	return names
}

// describe reads how the channels that are switched on lie in a scan.
func (s *scanner) describe() error {
	c := &s.p.config
	for _, name := range s.scanNames() {
		e, err := s.element(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if e.enabled {
			s.elements = append(s.elements, &e)
		}
	}
	s.length = layout(s.elements)
	found := 0
	for _, e := range s.elements {
		if e.name == timestamp {
			s.stamp = e
		}
		if e.sample {
			found++
		}
		s.channels = append(s.channels, c.channel(e.name))
	}
	if found != len(c.readings()) {
		return fmt.Errorf("the buffer has not all of the channels, only: %s", strings.Join(s.scanNames(), ", "))
	}
	s.clock, _ = readText(s.p.hardware.Sysfs, path.Join(s.dir, "current_timestamp_clock"))
	return nil
}

func (s *scanner) element(name string) (e element, err error) {
	sysfs := s.p.hardware.Sysfs
	base := path.Join(s.dir, "scan_elements", "in_"+name)
	on, err := readText(sysfs, base+"_en")
	if err != nil || on != "1" {
		return e, err
	}
	kind, err := readText(sysfs, base+"_type")
	if err != nil {
		return e, err
	}
	if e, err = parseElement(kind); err != nil {
		return e, err
	}
	e.name, e.enabled = name, true
	index, err := readNumber(sysfs, base+"_index")
	if err != nil {
		return e, err
	}
	e.index, e.sample = int(index), name != timestamp && s.wants(name)
	if !e.sample {
		return e, nil
	}
	if e.repeat > 1 {
		return e, fmt.Errorf("%d values in each scan, which no reading stands for", e.repeat)
	}
	device := iioSensor{config: s.p.config, sysfs: sysfs}
	_, unit, _ := iioUnit(name)
	if e.scale, err = device.shared(s.dir, name, "scale", 1); err != nil {
		return e, err
	}
	e.scale *= unit
	e.offset, err = device.shared(s.dir, name, "offset", 0)
	return e, err
}

func iioFailure(err error) error {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "device or resource busy"):
		return fmt.Errorf("%w: another program reads the device's buffer", err)
	case strings.HasSuffix(text, "permission denied"):
		return fmt.Errorf("%w: add this user to the group iio, or let root arrange the buffer before: see docs/sensors.md", err)
	case strings.HasSuffix(text, "read-only file system"):
		return fmt.Errorf("%w: allow the device's directory with ReadWritePaths= in the unit, or let root arrange the buffer before: see docs/sensors.md", err)
	case strings.HasSuffix(text, "no such device"), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
