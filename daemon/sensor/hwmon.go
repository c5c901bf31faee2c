package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// hwmonUnits says in which unit the kernel gives an input of hwmon, by how its
// name begins, and how much of ours that is.
var hwmonUnits = []struct {
	prefix, unit string
	scale        float64
}{
	{"temp", "°C", milli},
	{"in", "V", milli},
	{"curr", "A", milli},
	{"power", "W", micro},
	{"energy", "J", micro},
	{"humidity", "%", milli},
	{"fan", "rpm", 1},
	{"pwm", "of 255", 1},
}

// hwmonReading is the default reading of a type hwmon sensor.
const hwmonReading = "temp1"

// hwmonUnit returns the unit of an input such as temp1 or in0_lcrit_alarm.
func hwmonUnit(name string) (unit string, scale float64, ok bool) {
	for _, u := range hwmonUnits {
		rest, has := strings.CutPrefix(name, u.prefix)
		if !has || rest == "" || rest[0] < '0' || rest[0] > '9' {
			continue
		}
		if strings.HasSuffix(name, "_alarm") || strings.HasSuffix(name, "_fault") {
			return "bool", 1, true
		}
		return u.unit, u.scale, true
	}
	return "", 0, false
}

// hwmonSensor is a chip of the kernel's hwmon, or a thermal zone: the temperature
// of a zone is its temp1.
type hwmonSensor struct {
	config Config
	sysfs  fs.FS
	files  []string // one for each reading
	scales []float64
}

func (s *hwmonSensor) String() string { return "hwmon " + s.config.Driver }

func (s *hwmonSensor) close() {}

// configure finds the chip by its name, since numbers change from boot to boot.
func (s *hwmonSensor) configure() (settle time.Duration, err error) {
	s.files, s.scales = s.files[:0], s.scales[:0]
	dir, err := findDevice(s.sysfs, "class/hwmon", "name", s.config.Driver, s.config.Bus)
	if errors.Is(err, ErrUnplugged) {
		return 0, s.configureZone(err)
	}
	if err != nil {
		return 0, err
	}
	for _, r := range s.config.readings() {
		_, scale, _ := hwmonUnit(r.name)
		file := path.Join(dir, r.name)
		if !strings.Contains(r.name, "_") && !strings.HasPrefix(r.name, "pwm") { // which is a file itself
			file += "_input"
		}
		if _, err := fs.Stat(s.sysfs, file); err != nil {
			return 0, fmt.Errorf("%w: %s has no %s, only: %s", ErrUnplugged, s.config.Driver, r.name, strings.Join(hwmonInputs(s.sysfs, dir), ", "))
		}
		s.files, s.scales = append(s.files, file), append(s.scales, scale)
	}
	return 0, nil
}

// configureZone looks for a thermal zone of the name that no chip has.
func (s *hwmonSensor) configureZone(noChip error) error {
	zone, err := findDevice(s.sysfs, "class/thermal", "type", s.config.Driver, s.config.Bus)
	if err != nil {
		return fmt.Errorf("%w; %w", noChip, err)
	}
	if names := s.config.readings(); len(names) != 1 || names[0].name != hwmonReading {
		return fmt.Errorf("thermal zone %s has the reading %s only: name no other in channels", s.config.Driver, hwmonReading)
	}
	s.files, s.scales = append(s.files, path.Join(zone, "temp")), append(s.scales, milli)
	return nil
}

func (s *hwmonSensor) read(values []float64) error {
	for i, file := range s.files {
		v, err := readNumber(s.sysfs, file)
		if err != nil {
			return err
		}
		values[i] = v * s.scales[i]
	}
	return nil
}

// hwmonInputs lists the inputs of a chip, such as in0 and temp1.
func hwmonInputs(sysfs fs.FS, dir string) (inputs []string) {
	entries, _ := fs.ReadDir(sysfs, dir)
	for _, e := range entries {
		if input, ok := strings.CutSuffix(e.Name(), "_input"); ok {
			inputs = append(inputs, input)
		}
		if _, _, ok := hwmonUnit(e.Name()); ok && strings.HasSuffix(e.Name(), "_alarm") {
			inputs = append(inputs, e.Name())
		}
	}
	slices.Sort(inputs)
	return inputs
}
