package bench

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// tree makes a file system of lines "path text".
func tree(lines ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, line := range lines {
		name, content, _ := strings.Cut(line, " ")
		files[name] = &fstest.MapFile{Data: []byte(content + "\n")}
	}
	return files
}

const (
	cpu     = "sys/devices/system/cpu/"
	thermal = "sys/class/thermal/"
)

// The files are named and written as Linux has them: on a Raspberry Pi 4, on a
// laptop, on a Jetson.
var (
	pi = tree(
		"proc/device-tree/model Raspberry Pi 4 Model B Rev 1.4\x00",
		"proc/cpuinfo processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nprocessor\t: 1\nCPU part\t: 0xd08",
		cpu+"cpu0/cpufreq/scaling_governor ondemand",
		cpu+"cpu1/cpufreq/scaling_governor ondemand",
		cpu+"cpu0/cpufreq/scaling_cur_freq 1800000",
		cpu+"cpu1/cpufreq/scaling_cur_freq 600000",
		cpu+"cpu0/cpufreq/scaling_max_freq 1800000",
		thermal+"thermal_zone0/temp 48199",
		thermal+"cooling_device0/type gpio-fan",
		thermal+"cooling_device0/cur_state 1",
		"sys/devices/platform/soc/soc:firmware/get_throttled 0",
		"sys/class/hwmon/hwmon1/name rpi_volt",
		"sys/class/hwmon/hwmon1/in0_lcrit_alarm 0",
	)
	laptop = tree(
		"proc/cpuinfo processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\ncpu MHz\t\t: 2494.4\n\nprocessor\t: 1\ncpu MHz\t\t: 3999.6",
		cpu+"cpu0/cache/index0/level 1", cpu+"cpu0/cache/index0/type Data", cpu+"cpu0/cache/index0/size 48K",
		cpu+"cpu0/cache/index1/level 1", cpu+"cpu0/cache/index1/type Instruction", cpu+"cpu0/cache/index1/size 32K",
		cpu+"cpu0/cache/index2/level 2", cpu+"cpu0/cache/index2/type Unified", cpu+"cpu0/cache/index2/size 1280K",
		cpu+"cpu0/cache/index3/level 3", cpu+"cpu0/cache/index3/type Unified", cpu+"cpu0/cache/index3/size 8M",
		cpu+"cpu0/thermal_throttle/core_throttle_count 3",
		cpu+"cpu0/thermal_throttle/package_throttle_count 4",
		cpu+"cpu1/thermal_throttle/core_throttle_count 5",
		thermal+"cooling_device0/type Processor",
		thermal+"cooling_device0/cur_state 0",
		thermal+"cooling_device1/type Fan",
		thermal+"cooling_device1/cur_state 1",
	)
	jetson = tree(
		thermal+"thermal_zone0/temp 97500",
		thermal+"thermal_zone1/temp 61000",
		thermal+"cooling_device0/type cpufreq-cpu0",
		thermal+"cooling_device0/cur_state 2",
	)
)

// with returns the tree with some files changed.
func with(files fstest.MapFS, lines ...string) fstest.MapFS {
	changed := tree(lines...)
	for name, file := range files {
		if changed[name] == nil {
			changed[name] = file
		}
	}
	return changed
}

func TestReadState(t *testing.T) {
	require.Equal(t, State{
		Governors: []string{"ondemand"}, MHz: []int{1800, 600}, MaxMHz: 1800, Celsius: 48.199,
		Sources: []string{sourceFirmware, sourceVoltage},
	}, readState(pi))
	require.Equal(t, State{
		MHz: []int{2494, 4000}, Throttled: 12, Sources: []string{sourceCooling, sourceCounters},
	}, readState(laptop))
	require.Equal(t, State{
		Celsius: 97.5, Cooling: []string{"cpufreq-cpu0"}, Sources: []string{sourceCooling},
	}, readState(jetson))
	require.Equal(t, State{}, readState(tree()))
	require.Equal(t, State{}, readState(tree(
		"sys/devices/platform/soc/soc:firmware/get_throttled what?",
		"sys/class/hwmon/hwmon0/name coretemp", "sys/class/hwmon/hwmon0/in0_lcrit_alarm 1",
		thermal+"thermal_zone0/temp hot", "proc/cpuinfo cpu MHz: unknown",
	)), "what cannot be read is left out, and other chips' alarms are not the power supply's")
}

func TestThrottling(t *testing.T) {
	const throttled, alarm = "sys/devices/platform/soc/soc:firmware/get_throttled ", "sys/class/hwmon/hwmon1/in0_lcrit_alarm "
	for _, c := range []struct {
		name          string
		before, after fstest.MapFS
		want          []string
	}{
		{"a calm board", pi, pi, nil},
		{"a calm laptop", laptop, laptop, nil},
		{"nothing known", tree(), tree(), nil},
		{"long ago", with(pi, throttled+"50000"), with(pi, throttled+"50000"), nil},
		{"undervoltage since the start of the run", pi, with(pi, throttled+"10000"), []string{"undervoltage (get_throttled 0x10000)"}},
		{"hot before and after", with(pi, throttled+"e0008"), with(pi, throttled+"e0008"), []string{"soft temperature limit (get_throttled 0xe0008)"}},
		{"cooled down", with(pi, throttled+"60006"), with(pi, throttled+"60000"),
			[]string{"the firmware caps the frequency (get_throttled 0x60000)", "the firmware throttles (get_throttled 0x60000)"}},
		{"newer boards", tree(), tree("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled 0x4"),
			[]string{"the firmware throttles (get_throttled 0x4)"}},
		{"power supply alarm", pi, with(pi, alarm+"1"), []string{"undervoltage (rpi_volt alarm)"}},
		{"counters", laptop, with(laptop, cpu+"cpu1/thermal_throttle/core_throttle_count 7"), []string{"too hot: CPUs throttled 2 times"}},
		{"cooling", jetson, jetson, []string{"too hot: cooling device cpufreq-cpu0 holds CPUs back"}},
		{"cooling at the end", laptop, with(laptop, thermal+"cooling_device0/cur_state 1"), []string{"too hot: cooling device Processor holds CPUs back"}},
	} {
		require.Equal(t, c.want, throttling(readState(c.before), readState(c.after)), c.name)
	}
}

func TestReadMachine(t *testing.T) {
	m := readMachine(pi)
	require.Equal(t, "Raspberry Pi 4 Model B Rev 1.4", m.Board)
	require.Equal(t, "Cortex-A72", m.CPU)
	require.Zero(t, m.Largest)
	require.Equal(t, []level{{"L1", 16 << 10, 8 << 10}, {"L2", 128 << 10, 64 << 10}, {"memory", 0, 16 << 20}}, m.levels())

	m = readMachine(laptop)
	require.Equal(t, "Some CPU @ 2.50GHz", m.CPU)
	require.Equal(t, []int{48 << 10, 1280 << 10, 8 << 20}, []int{m.L1, m.L2, m.Largest})
	require.Equal(t, []level{{"L1", 48 << 10, 24 << 10}, {"L2", 1280 << 10, 640 << 10}, {"memory", 0, 32 << 20}}, m.levels())

	m = readMachine(tree("proc/cpuinfo uarch\t\t: sifive,u74-mc", cpu+"cpu0/cache/index0/size 9999999M"))
	require.Equal(t, "sifive,u74-mc", m.CPU)
	require.Zero(t, m.Largest, "an absurd size is not believed")
}
