package sensor

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Found is a device that a scan found.
type Found struct {
	// Config leads to it. Its Driver is empty when the scan cannot tell which of
	// Candidates it is.
	Config     Config
	Candidates []string
	// Note says what it is, what it reads now, or why it cannot be used.
	Note string
}

// Scan is what a scan found, and what it had to leave out.
type Scan struct {
	Found []Found
	Notes []string
}

// scanTime bounds the scan of one bus, and the first reading of one device.
const scanTime = 5 * time.Second

// Look finds the devices of a machine: chips on the I2C buses that are named, or on
// all that are not the computer's own, the kernel's hwmon, thermal and IIO devices,
// sound cards that can record, cameras, and the names of free GPIO lines.
//
// It reads one byte at addresses that known chips can have. Only where one answers,
// a known chip of that address has an identity register, and none of them takes
// what is sent for a command, does it also send that register's number. It touches
// no other address and changes no register.
func (h Hardware) Look(buses []string) Scan {
	h = h.Fill()
	var s Scan
	s.i2c(h, buses)
	s.hwmon(h)
	s.iio(h)
	s.alsa(h)
	s.cameras(h)
	if lines := h.Lines(); len(lines) > 0 {
		s.note("GPIO lines that nothing uses, for type = \"gpio\": %s", strings.Join(lines, ", "))
	}
	s.name()
	return s
}

func (s *Scan) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// ownBuses are words in the names of adapters that lead to a computer's memory
// modules and screens.
var ownBuses = []string{"SMBus", "DDC", "AUX", "DP", "HDMI", "i915", "AMDGPU", "NVIDIA", "nvkm"}

func (s *Scan) i2c(h Hardware, buses []string) {
	if len(buses) == 0 {
		entries, _ := fs.ReadDir(h.Sysfs, "class/i2c-dev")
		for _, e := range entries {
			number, ok := strings.CutPrefix(e.Name(), "i2c-")
			name, _ := readText(h.Sysfs, path.Join("class/i2c-dev", e.Name(), "name"))
			own := slices.ContainsFunc(ownBuses, func(word string) bool { return strings.Contains(name, word) })
			switch {
			case ok && own:
				s.note("I2C bus %s (%s) is the computer's own and was left out; --bus %s scans it", number, name, number)
			case ok:
				buses = append(buses, number)
			}
		}
		if len(entries) == 0 {
			s.note("no I2C bus: switch one on (on a Raspberry Pi dtparam=i2c_arm=on) and load the module i2c-dev")
		}
	}
	for _, bus := range buses {
		type result struct {
			found []Found
			err   error
		}
		done := make(chan result, 1)
		go func() {
			found, err := h.scanBus(bus)
			done <- result{found, err}
		}()
		select {
		case r := <-done:
			s.Found = append(s.Found, r.found...)
			if r.err != nil {
				s.note("I2C bus %s: %v", bus, busFailure(bus, r.err))
			}
		case <-time.After(scanTime):
			s.note("I2C bus %s hangs: a chip holds it, switch its power off and on", bus)
		}
	}
}

// scanBus looks at every address that a known chip can have.
func (h Hardware) scanBus(name string) ([]Found, error) {
	bus, err := h.I2C(name)
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	var found []Found
	for address := uint16(minAddress); address <= maxAddress; address++ {
		chips := chipsAt(address)
		if len(chips) == 0 {
			continue
		}
		if driver := h.kernelDriver(name, address); driver != "" {
			found = append(found, Found{
				Config: Config{Type: I2C, Bus: name, Address: address},
				Note:   fmt.Sprintf("the kernel's driver %s has it: read it as type iio or hwmon", driver),
			})
			continue
		}
		if err := bus.Tx(address, nil, make([]byte, 1)); err != nil {
			if errors.Is(busFailure(name, err), ErrUnplugged) {
				continue // nothing answers
			}
			return found, err
		}
		found = append(found, identify(bus, name, address, chips))
	}
	return found, nil
}

// chipsAt lists the drivers that an address can belong to, sorted.
func chipsAt(address uint16) (names []string) {
	for name, d := range table {
		if d.address == address || slices.Contains(d.others, address) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// kernelDriver names the driver of the kernel that holds an address.
func (h Hardware) kernelDriver(bus string, address uint16) string {
	to, err := fs.ReadLink(h.Sysfs, fmt.Sprintf("bus/i2c/devices/%s-%04x/driver", bus, address))
	if err != nil {
		return ""
	}
	return path.Base(to)
}

// identify tells which of chips answers.
func identify(bus Bus, name string, address uint16, chips []string) Found {
	f := Found{Config: Config{Type: I2C, Bus: name, Address: address}}
	if slices.ContainsFunc(chips, func(chip string) bool { return table[chip].commands }) {
		f.Candidates = chips
		return f
	}
	var same, silent []string
	for _, chip := range chips {
		switch d := table[chip]; {
		case len(d.identity.register) == 0:
			silent = append(silent, chip)
		case d.identity.matches(bus, address):
			same = append(same, chip)
		}
	}
	switch {
	case len(same) == 1:
		f.Config.Driver, f.Note = same[0], table[same[0]].about
	case len(same) > 1:
		f.Candidates = same
	case len(silent) > 0:
		f.Candidates = silent
	default:
		f.Note = "unknown to this build: read it with driver = \"" + Registers + "\""
	}
	return f
}

func (id *identity) matches(bus Bus, address uint16) bool {
	got := make([]byte, len(id.value))
	if bus.Tx(address, []byte(id.register), got) != nil {
		return false
	}
	return id.equal(got)
}

// hwmon finds chips with inputs, and thermal zones that are no chip as well.
func (s *Scan) hwmon(h Hardware) {
	seen := map[string]bool{}
	for _, dir := range devices(h.Sysfs, "class/hwmon") {
		name, err := readText(h.Sysfs, path.Join(dir, "name"))
		if err != nil {
			continue
		}
		seen[strings.ReplaceAll(name, "-", "_")] = true
		s.device(h, Config{Type: HWMon, Driver: name, Bus: s.twin(h.Sysfs, "class/hwmon", name, dir)}, hwmonInputs(h.Sysfs, dir))
	}
	for _, dir := range devices(h.Sysfs, "class/thermal") {
		zone, err := readText(h.Sysfs, path.Join(dir, "type"))
		if err != nil || !exists(h.Sysfs, path.Join(dir, "temp")) || seen[strings.ReplaceAll(zone, "-", "_")] {
			continue
		}
		s.device(h, Config{Type: HWMon, Driver: zone}, []string{hwmonReading})
	}
}

func (s *Scan) iio(h Hardware) {
	for _, dir := range devices(h.Sysfs, iioClass) {
		name, err := readText(h.Sysfs, path.Join(dir, "name"))
		if err != nil {
			continue
		}
		s.device(h, Config{Type: IIO, Driver: name, Bus: s.twin(h.Sysfs, iioClass, name, dir)}, iioChannels(h.Sysfs, dir))
	}
}

func devices(sysfs fs.FS, class string) (dirs []string) {
	entries, _ := fs.ReadDir(sysfs, class)
	for _, e := range entries {
		dirs = append(dirs, path.Join(class, e.Name()))
	}
	return dirs
}

// twin is what tells a device from others of its name, empty if there are none.
func (s *Scan) twin(sysfs fs.FS, class, name, dir string) string {
	if _, err := findDevice(sysfs, class, "name", name, ""); err == nil {
		return ""
	}
	return deviceOf(sysfs, dir)
}

// device adds a device of the kernel with what it reads now.
func (s *Scan) device(h Hardware, c Config, names []string) {
	if len(names) == 0 {
		return
	}
	c.Channels = map[string]string{}
	for _, name := range names {
		c.Channels[name] = name
	}
	s.Found = append(s.Found, Found{Config: c, Note: h.now(c)})
}

// now reads a device once, in at most scanTime.
func (h Hardware) now(c Config) string {
	c.Channels = maps.Clone(c.Channels) // a read that hangs keeps them
	done := make(chan string, 1)
	go func() {
		d := h.device(c.WithDefaults(), nil)
		all := c.readings()
		values := make([]float64, len(all))
		if _, err := d.configure(); err != nil {
			done <- err.Error()
			return
		}
		if err := d.read(values); err != nil {
			done <- err.Error()
			return
		}
		var now []string
		for i, r := range all {
			now = append(now, fmt.Sprintf("%s %s %s", r.name, strconv.FormatFloat(values[i], 'g', 6, 64), r.unit))
		}
		done <- "now " + strings.Join(now, ", ")
	}()
	select {
	case text := <-done:
		return text
	case <-time.After(scanTime):
		return "hangs when it is read: leave it out"
	}
}

// name gives every device an alias of its own, and its channels names that begin
// with it.
func (s *Scan) name() {
	taken := map[string]int{}
	for i := range s.Found {
		c := &s.Found[i].Config
		base := strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
				return r
			case r >= 'A' && r <= 'Z':
				return r - 'A' + 'a'
			}
			return '-'
		}, cmp.Or(c.Alias, c.Driver))
		if base == "" {
			base = "chip"
		}
		base = base[:min(len(base), 64)]
		c.Alias = base
		if taken[base]++; taken[base] > 1 {
			c.Alias = fmt.Sprintf("%s-%d", base, taken[base])
		}
		for name := range c.Channels {
			c.Channels[name] = c.Alias + "." + name
		}
	}
}
