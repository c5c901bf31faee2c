package sensor

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// iioUnits says in which unit the kernel gives a channel of IIO, by how its name
// begins, and how much of ours that is: Documentation/ABI/testing/sysfs-bus-iio.
var iioUnits = []struct {
	prefix, unit string
	scale        float64
}{
	{"temp", "°C", milli},
	{"pressure", "Pa", 1000},
	{"humidityrelative", "%", milli},
	{"illuminance", "lx", 1},
	{"voltage", "V", milli},
	{"altvoltage", "V", milli},
	{"current", "A", milli},
	{"power", "W", milli},
	{"accel", "m/s²", 1},
	{"anglvel", "rad/s", 1},
	{"magn", "µT", 100},
	{"distance", "m", 1},
	{"resistance", "Ω", 1},
	{"concentration", "%", 1},
	{"intensity", "counts", 1},
	{"proximity", "counts", 1},
	{"count", "counts", 1},
}

func iioUnit(name string) (unit string, scale float64, ok bool) {
	for _, u := range iioUnits {
		if rest, has := strings.CutPrefix(name, u.prefix); has && (rest == "" || rest[0] == '_' || rest[0] >= '0' && rest[0] <= '9') {
			return u.unit, u.scale, true
		}
	}
	return "", 0, false
}

const iioClass = "bus/iio/devices"

// iioSensor is a device of the kernel's industrial I/O, read through sysfs.
type iioSensor struct {
	config   Config
	sysfs    fs.FS
	channels []iioChannel
}

// iioChannel is a file and what makes a reading of its number.
type iioChannel struct {
	file          string
	offset, scale float64
}

func (s *iioSensor) String() string { return "iio " + s.config.Driver }

func (s *iioSensor) close() {}

// configure finds the device by its name and reads offsets and scales, which stay
// as they are until something configures the device anew.
func (s *iioSensor) configure() (settle time.Duration, err error) {
	dir, err := findDevice(s.sysfs, iioClass, "name", s.config.Driver, s.config.Bus)
	if err != nil {
		return 0, err
	}
	s.channels = s.channels[:0]
	for _, r := range s.config.readings() {
		c, err := s.channel(dir, r.name)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", r.name, err)
		}
		s.channels = append(s.channels, c)
	}
	return 0, nil
}

// channel describes in_NAME_input, which the driver has already made a reading of,
// or else in_NAME_raw.
func (s *iioSensor) channel(dir, name string) (iioChannel, error) {
	_, unit, _ := iioUnit(name)
	if file := path.Join(dir, "in_"+name+"_input"); exists(s.sysfs, file) {
		return iioChannel{file: file, scale: unit}, nil
	}
	c := iioChannel{file: path.Join(dir, "in_"+name+"_raw"), scale: unit}
	if !exists(s.sysfs, c.file) {
		return c, fmt.Errorf("%w: no such channel, only: %s", ErrUnplugged, strings.Join(iioChannels(s.sysfs, dir), ", "))
	}
	scale, err := s.shared(dir, name, "scale", 1)
	if err != nil {
		return c, err
	}
	c.scale *= scale
	c.offset, err = s.shared(dir, name, "offset", 0)
	return c, err
}

// shared reads an attribute of a channel, or the one that all channels of its
// type share: in_voltage0_scale before in_voltage_scale.
func (s *iioSensor) shared(dir, name, attribute string, otherwise float64) (float64, error) {
	kind, _, _ := strings.Cut(name, "_")
	for _, n := range []string{name, kind, strings.TrimRight(kind, "0123456789")} {
		if file := path.Join(dir, "in_"+n+"_"+attribute); exists(s.sysfs, file) {
			return readNumber(s.sysfs, file)
		}
	}
	return otherwise, nil
}

func (s *iioSensor) read(values []float64) error {
	for i, c := range s.channels {
		v, err := readNumber(s.sysfs, c.file)
		if err != nil {
			return err
		}
		values[i] = (v + c.offset) * c.scale
	}
	return nil
}

func exists(sysfs fs.FS, name string) bool {
	_, err := fs.Stat(sysfs, name)
	return err == nil
}

// iioChannels lists the channels of a device, such as temp and voltage0.
func iioChannels(sysfs fs.FS, dir string) (channels []string) {
	entries, _ := fs.ReadDir(sysfs, dir)
	for _, e := range entries {
		name, in := strings.CutPrefix(e.Name(), "in_")
		channel, raw := strings.CutSuffix(name, "_raw")
		if !raw {
			channel, raw = strings.CutSuffix(name, "_input")
		}
		if _, _, known := iioUnit(channel); in && raw && known {
			channels = append(channels, channel)
		}
	}
	slices.Sort(channels)
	return slices.Compact(channels)
}
