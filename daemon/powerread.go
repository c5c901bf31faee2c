package daemon

import (
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// machine is /sys. Tests put a tree of their own in its place.
var machine fs.FS = os.DirFS("/sys")

// patience is how long one file of /sys may take: a thermal zone whose firmware
// hangs must not cost the others.
const patience = time.Second

// attributes reads files of /sys that hold one word each. A file that does not
// answer costs its own goroutine and is not asked again before it has. Directories
// are listed without that care: the kernel does so itself.
type attributes struct {
	sysfs fs.FS
	hung  map[string]chan string
}

// text returns what a file says, "" when it cannot be read or does not answer.
func (a *attributes) text(name string) string {
	if answer, hangs := a.hung[name]; hangs {
		select {
		case <-answer: // of another time
			delete(a.hung, name)
		default:
			return ""
		}
	}
	answer := make(chan string, 1)
	go func() { answer <- readWord(a.sysfs, name) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case text := <-answer:
		return text
	case <-timer.C:
		a.hung[name] = answer
		return ""
	}
}

// readWord reads a small file, "" when that fails in whatever way.
func readWord(sysfs fs.FS, name string) string {
	f, err := sysfs.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// number returns what a file says times scale, NaN when it says no number.
func (a *attributes) number(name string, scale float64) float64 {
	v, err := strconv.ParseFloat(a.text(name), 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v * scale
}

// glob lists the files that match any of the patterns.
func (a *attributes) glob(patterns ...string) (all []string) {
	for _, p := range patterns {
		names, _ := fs.Glob(a.sysfs, p) // the patterns are well formed
		all = append(all, names...)
	}
	return all
}

// board reads what a board says of its power: Raspberry Pi, Jetson, and whatever
// has thermal zones and cpufreq.
type board struct {
	attributes
	events map[string]float64 // newest counts of overcurrent
}

func newBoard(sysfs fs.FS) *board {
	return &board{attributes{sysfs, map[string]chan string{}}, map[string]float64{}}
}

// read asks for everything.
func (b *board) read() *powerState {
	s := unknownPower
	b.firmware(&s)
	b.supply(&s)
	b.heat(&s)
	b.clock(&s)
	s.unreadable = len(b.hung)
	s.known = s.known || s.unreadable > 0 || !math.IsNaN(s.temperature) || !math.IsNaN(s.frequency)
	return &s
}

func (s *powerState) add(word string) {
	if !slices.Contains(s.degraded, word) {
		s.degraded = append(s.degraded, word)
	}
}

// firmware reads the bits of a Raspberry Pi: 0 to 3 are now, 16 to 19 the same
// since boot.
func (b *board) firmware(s *powerState) {
	for _, name := range b.glob("devices/platform/*/*firmware/get_throttled", "devices/platform/*firmware/get_throttled") {
		bits, err := strconv.ParseUint(strings.TrimPrefix(b.text(name), "0x"), 16, 32)
		if err != nil {
			continue
		}
		s.known = true
		for i, word := range []string{undervoltage, capped, throttled, hot} {
			if bits>>i&1 != 0 {
				s.add(word)
			}
			if bits>>(16+i)&1 != 0 && !slices.Contains(s.sinceBoot, word) {
				s.sinceBoot = append(s.sinceBoot, word)
			}
		}
	}
}

// supply reads the alarm of a Raspberry Pi's hwmon, and the counters of a Jetson's,
// whose rise is an alarm.
func (b *board) supply(s *powerState) {
	for _, name := range b.glob("class/hwmon/*/in0_lcrit_alarm") {
		if b.text(path.Join(path.Dir(name), "name")) != "rpi_volt" {
			continue
		}
		if v := b.number(name, 1); !math.IsNaN(v) {
			s.known = true
			if v != 0 {
				s.add(undervoltage)
			}
		}
	}
	for _, name := range b.glob("class/hwmon/*/oc*_event_cnt") {
		v := b.number(name, 1)
		if math.IsNaN(v) {
			continue
		}
		s.known = true
		if before, seen := b.events[name]; seen && v > before {
			s.add(overcurrent)
		}
		b.events[name] = v
	}
}

// nearCritical is how far below the temperature at which it switches itself off a
// zone counts as hot, where it has no other one at which the CPU is slowed down.
const nearCritical = 10

// heat reads the thermal zones. Trip points of 0 °C or less are not set.
func (b *board) heat(s *powerState) {
	for _, file := range b.glob("class/thermal/thermal_zone*/temp") {
		t := b.number(file, 1e-3)
		if !(t > -60 && t < 200) { // what a zone that is switched off says
			continue
		}
		if math.IsNaN(s.temperature) || t > s.temperature {
			s.temperature = t
		}
		limit := math.Inf(1)
		for _, trip := range b.glob(path.Join(path.Dir(file), "trip_point_*_type")) {
			at := b.number(strings.TrimSuffix(trip, "type")+"temp", 1e-3)
			if !(at > 0) {
				continue
			}
			switch b.text(trip) {
			case "passive", "hot":
				limit = min(limit, at)
			case "critical":
				limit = min(limit, at-nearCritical)
			}
		}
		if t >= limit {
			s.add(hot)
		}
	}
}

// clock reads how fast the fastest CPU runs and may run.
func (b *board) clock(s *powerState) {
	most := func(v *float64, file string) {
		if hz := b.number(file, 1e3); !math.IsNaN(hz) && !(*v >= hz) {
			*v = hz
		}
	}
	for _, dir := range b.glob("devices/system/cpu/cpufreq/policy*") {
		most(&s.frequency, path.Join(dir, "scaling_cur_freq"))
		most(&s.limit, path.Join(dir, "scaling_max_freq"))
		most(&s.most, path.Join(dir, "cpuinfo_max_freq"))
	}
}
