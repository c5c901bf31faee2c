package bench

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// State is what the kernel says of the machine at one moment. What it does not say
// is left out.
type State struct {
	Governors []string `json:"governors,omitempty"`
	MHz       []int    `json:"mhz,omitempty"`     // of every CPU
	MaxMHz    int      `json:"max_mhz,omitempty"` // of the fastest, as allowed
	Celsius   float64  `json:"celsius,omitempty"` // of the hottest zone
	// Sources are what could be read of the following.
	Sources      []string `json:"throttle_sources,omitempty"`
	Firmware     uint32   `json:"get_throttled,omitempty"`  // Raspberry Pi: bits of get_throttled
	Undervoltage bool     `json:"undervoltage,omitempty"`   // Raspberry Pi: the alarm of its power supply
	Cooling      []string `json:"cooling,omitempty"`        // devices that hold CPUs back
	Throttled    int      `json:"throttle_count,omitempty"` // x86: how often since the start, of all CPUs
}

const (
	sourceFirmware = "get_throttled"
	sourceVoltage  = "power supply alarm"
	sourceCooling  = "cooling devices"
	sourceCounters = "thermal counters"
)

func readState(root fs.FS) State {
	const cpus = "sys/devices/system/cpu/"
	s := State{Governors: distinct(root, cpus+"cpu[0-9]*/cpufreq/scaling_governor")}
	for _, file := range glob(root, cpus+"cpu[0-9]*/cpufreq/scaling_cur_freq") {
		s.MHz = append(s.MHz, number(root, file)/1000)
	}
	if s.MHz == nil {
		s.MHz = cpuinfoMHz(root)
	}
	for _, file := range glob(root, cpus+"cpu[0-9]*/cpufreq/scaling_max_freq") {
		s.MaxMHz = max(s.MaxMHz, number(root, file)/1000)
	}
	for _, file := range glob(root, "sys/class/thermal/thermal_zone*/temp") {
		s.Celsius = max(s.Celsius, float64(number(root, file))/1000)
	}

	for _, file := range glob(root, "sys/devices/platform/soc*/soc*:firmware/get_throttled") {
		if bits, err := strconv.ParseUint(strings.TrimPrefix(text(root, file), "0x"), 16, 32); err == nil {
			s.source(sourceFirmware)
			s.Firmware = uint32(bits)
		}
	}
	for _, file := range glob(root, "sys/class/hwmon/hwmon*/in0_lcrit_alarm") {
		if text(root, path.Join(path.Dir(file), "name")) == "rpi_volt" {
			s.source(sourceVoltage)
			s.Undervoltage = s.Undervoltage || number(root, file) != 0
		}
	}
	for _, file := range glob(root, "sys/class/thermal/cooling_device*/type") {
		if kind := text(root, file); slowsCPUs(kind) {
			s.source(sourceCooling)
			if number(root, path.Join(path.Dir(file), "cur_state")) > 0 {
				s.Cooling = append(s.Cooling, kind)
			}
		}
	}
	for _, file := range glob(root, cpus+"cpu[0-9]*/thermal_throttle/*_throttle_count") {
		s.source(sourceCounters)
		s.Throttled += number(root, file)
	}
	return s
}

func (s *State) source(name string) {
	if !slices.Contains(s.Sources, name) {
		s.Sources = append(s.Sources, name)
	}
}

// slowsCPUs tells cooling devices that lower the CPUs' frequency from fans, by
// the names that the kernel and Jetson boards give them.
func slowsCPUs(kind string) bool {
	return strings.Contains(kind, "cpufreq") || kind == "Processor" || kind == "intel_powerclamp" || strings.HasPrefix(kind, "cpu-")
}

// firmwareBits are the meanings of get_throttled. Each is in bit n now, and in bit
// n+16 since the start.
var firmwareBits = []string{
	"undervoltage", "the firmware caps the frequency", "the firmware throttles", "soft temperature limit",
}

// throttling lists the reasons why the machine did not run at its full speed
// between two states, as far as they show.
func throttling(before, after State) []string {
	var reasons []string
	for i, meaning := range firmwareBits {
		now := (before.Firmware|after.Firmware)>>i&1 != 0
		since := (after.Firmware&^before.Firmware)>>(i+16)&1 != 0
		if now || since {
			reasons = append(reasons, fmt.Sprintf("%s (get_throttled %#x)", meaning, after.Firmware))
		}
	}
	if before.Undervoltage || after.Undervoltage {
		reasons = append(reasons, "undervoltage (rpi_volt alarm)")
	}
	cooling := slices.Concat(before.Cooling, after.Cooling)
	slices.Sort(cooling)
	for _, device := range slices.Compact(cooling) {
		reasons = append(reasons, "too hot: cooling device "+device+" holds CPUs back")
	}
	if n := after.Throttled - before.Throttled; n > 0 {
		reasons = append(reasons, fmt.Sprintf("too hot: CPUs throttled %d times", n))
	}
	return reasons
}

// distinct returns the different texts of the files, in order.
func distinct(root fs.FS, pattern string) []string {
	var all []string
	for _, file := range glob(root, pattern) {
		if s := text(root, file); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// cpuinfoMHz is the frequency as x86 has it without a frequency driver.
func cpuinfoMHz(root fs.FS) (mhz []int) {
	for line := range strings.Lines(text(root, "proc/cpuinfo")) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "cpu MHz" {
			if f, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && f > 0 && f < 1e6 {
				mhz = append(mhz, int(f+0.5))
			}
		}
	}
	return mhz
}

// number reads a file with one whole number, 0 when it holds none.
func number(root fs.FS, name string) int {
	n, _ := strconv.Atoi(text(root, name)) // 0 with an error, too
	return n
}
