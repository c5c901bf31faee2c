package sensor

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// tree makes a /sys of files and links; a text that begins with -> is a link.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		if to, link := cutArrow(text); link {
			fsys[name] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
			continue
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	return fsys
}

func cutArrow(text string) (string, bool) {
	if len(text) > 2 && text[:2] == "->" {
		return text[2:], true
	}
	return text, false
}

// board is the /sys of a Raspberry Pi 4 with Debian's kernel 6.1, and two disks, a
// BME280 on the IIO driver and an ADS1015, cut to what matters here. The links that
// classes are made of are directories.
func board() fstest.MapFS {
	return tree(map[string]string{
		"class/hwmon/hwmon0/name":                               "cpu_thermal\n",
		"class/hwmon/hwmon0/temp1_input":                        "48686\n",
		"class/hwmon/hwmon1/name":                               "rpi_volt\n",
		"class/hwmon/hwmon1/in0_lcrit_alarm":                    "1\n",
		"class/hwmon/hwmon2/name":                               "nvme\n",
		"class/hwmon/hwmon2/device":                             "->../../nvme0",
		"class/hwmon/hwmon2/temp1_input":                        "35850\n",
		"class/hwmon/hwmon3/name":                               "nvme\n",
		"class/hwmon/hwmon3/device":                             "->../../nvme1",
		"class/hwmon/hwmon3/temp1_input":                        "41850\n",
		"class/hwmon/hwmon4/name":                               "ina226\n",
		"class/hwmon/hwmon4/in1_input":                          "5072\n",
		"class/hwmon/hwmon4/curr1_input":                        "-312\n",
		"class/hwmon/hwmon4/power1_input":                       "1582464\n",
		"class/hwmon/hwmon4/fan1_input":                         "1200\n",
		"class/hwmon/hwmon5/name":                               "pwmfan\n",
		"class/hwmon/hwmon5/pwm1":                               "75\n",
		"class/hwmon/hwmon5/pwm1_enable":                        "1\n",
		"class/thermal/thermal_zone0/type":                      "cpu-thermal\n",
		"class/thermal/thermal_zone0/temp":                      "48199\n",
		"class/thermal/cooling_device0/type":                    "gpio-fan\n",
		"bus/iio/devices/iio:device0/name":                      "bme280\n",
		"bus/iio/devices/iio:device0/in_temp_input":             "25080\n",
		"bus/iio/devices/iio:device0/in_pressure_input":         "100.653277343\n",
		"bus/iio/devices/iio:device0/in_humidityrelative_input": "54218\n",
		"bus/iio/devices/iio:device1/name":                      "ads1015\n",
		"bus/iio/devices/iio:device1/in_voltage0_raw":           "1000\n",
		"bus/iio/devices/iio:device1/in_voltage0_scale":         "3.000000000\n",
		"bus/iio/devices/iio:device1/in_voltage1_raw":           "-200\n",
		"bus/iio/devices/iio:device1/in_voltage_scale":          "2.000000000\n",
		"bus/iio/devices/iio:device2/name":                      "lsm6dso_accel\n",
		"bus/iio/devices/iio:device2/in_accel_x_raw":            "1000\n",
		"bus/iio/devices/iio:device2/in_accel_scale":            "0.000598205\n",
		"bus/iio/devices/iio:device2/in_temp_raw":               "-512\n",
		"bus/iio/devices/iio:device2/in_temp_offset":            "6400\n",
		"bus/iio/devices/iio:device2/in_temp_scale":             "3.906250000\n",
		"bus/iio/devices/trigger0/name":                         "sysfstrig1\n",
	})
}

// onMachine makes a polled sensor.
func onMachine(t *testing.T, c Config, h Hardware) *polled {
	t.Helper()
	c.Alias = "s"
	require.NoError(t, c.Check())
	pollers := NewPollers([]Config{c}, nil, h)
	require.Len(t, pollers, 1)
	return pollers[0].sensors[0]
}

func inputs(names ...string) map[string]string {
	channels := map[string]string{}
	for _, n := range names {
		channels[n] = "s." + n
	}
	return channels
}

func TestSysfsMeasures(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   []float64 // in the order of the names
	}{
		{Config{Type: HWMon, Driver: "cpu_thermal"}, []float64{48.686}},
		{Config{Type: HWMon, Driver: "cpu-thermal"}, []float64{48.199}},
		{Config{Type: HWMon, Driver: "rpi_volt", Channels: inputs("in0_lcrit_alarm")}, []float64{1}},
		{Config{Type: HWMon, Driver: "nvme", Bus: "nvme1"}, []float64{41.85}},
		{Config{Type: HWMon, Driver: "ina226", Channels: inputs("in1", "curr1", "power1", "fan1")}, []float64{-0.312, 1200, 5.072, 1.582464}},
		{Config{Type: HWMon, Driver: "pwmfan", Channels: inputs("pwm1")}, []float64{75}},
		{Config{Type: IIO, Driver: "bme280", Channels: inputs("temp", "pressure", "humidityrelative")}, []float64{54.218, 100653.277343, 25.08}},
		{Config{Type: IIO, Driver: "ads1015", Channels: inputs("voltage0", "voltage1")}, []float64{3, -0.4}},
		{Config{Type: IIO, Driver: "lsm6dso_accel", Channels: inputs("accel_x", "temp")}, []float64{0.598205, 23}},
	} {
		s := onMachine(t, c.config, Hardware{Sysfs: board()})
		require.NoError(t, measure(s), c.config.Driver)
		require.InDeltaSlice(t, c.want, s.values, 1e-9, c.config.Driver)
		require.Len(t, c.config.ChannelNames(), len(c.want))
	}
}

func TestSysfsFailures(t *testing.T) {
	for _, c := range []struct {
		config    Config
		change    func(fstest.MapFS)
		want      string
		unplugged bool
	}{
		{Config{Type: HWMon, Driver: "gpu"}, nil, "nothing in /sys/class/hwmon is called gpu, only: cpu_thermal, ina226, nvme, pwmfan, rpi_volt; ", true},
		{Config{Type: HWMon, Driver: "gpu"}, nil, "nothing in /sys/class/thermal is called gpu, only: cpu-thermal, gpio-fan", true},
		{Config{Type: HWMon, Driver: "nvme"}, nil, "2 devices in /sys/class/hwmon are called nvme: set bus to one of nvme0, nvme1", false},
		{Config{Type: HWMon, Driver: "nvme", Bus: "nvme2"}, nil, "is called nvme on nvme2", true},
		{Config{Type: HWMon, Driver: "ina226", Channels: inputs("temp1")}, nil, "ina226 has no temp1, only: curr1, fan1, in1, power1", true},
		{Config{Type: HWMon, Driver: "cpu-thermal", Channels: inputs("temp2")}, nil, "thermal zone cpu-thermal has the reading temp1 only", false},
		{Config{Type: IIO, Driver: "bme280", Channels: inputs("illuminance")}, nil, "only: humidityrelative, pressure, temp", true},
		{Config{Type: HWMon, Driver: "cpu_thermal"}, func(f fstest.MapFS) { f["class/hwmon/hwmon0/temp1_input"].Data = nil }, `temp1_input: "" is not a number`, false},
		{Config{Type: HWMon, Driver: "cpu_thermal"}, func(f fstest.MapFS) { f["class/hwmon/hwmon0/temp1_input"].Data = []byte("nan") }, "temp1: not a finite number", false},
		{Config{Type: IIO, Driver: "ads1015", Channels: inputs("voltage0")}, func(f fstest.MapFS) {
			f["bus/iio/devices/iio:device1/in_voltage0_scale"].Data = []byte("x")
		}, `in_voltage0_scale: "x" is not a number`, false},
	} {
		sysfs := board()
		if c.change != nil {
			c.change(sysfs)
		}
		err := measure(onMachine(t, c.config, Hardware{Sysfs: sysfs}))
		require.ErrorContains(t, err, c.want)
		if c.unplugged {
			require.ErrorIs(t, err, ErrUnplugged)
		} else {
			require.NotErrorIs(t, err, ErrUnplugged)
		}
	}
}

// A device that is unplugged and comes back under another number is found again
// (reliability row 34).
func TestRow34SysfsDeviceMoves(t *testing.T) {
	sysfs := board()
	s := onMachine(t, Config{Type: HWMon, Driver: "cpu_thermal"}, Hardware{Sysfs: sysfs})
	require.NoError(t, measure(s))
	for _, file := range []string{"name", "temp1_input"} {
		sysfs["class/hwmon/hwmon9/"+file] = sysfs["class/hwmon/hwmon0/"+file]
		delete(sysfs, "class/hwmon/hwmon0/"+file)
	}
	_, err := s.call()
	require.ErrorIs(t, err, ErrUnplugged)
	require.NoError(t, measure(s))
	require.InDelta(t, 48.686, s.values[0], 1e-9)
}

// brokenFS fails the opening of one file.
type brokenFS struct {
	fstest.MapFS
	file string
	err  error
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.file {
		return nil, &fs.PathError{Op: "open", Path: name, Err: b.err}
	}
	return b.MapFS.Open(name)
}

func TestRow39SysfsErrorsOfTheKernel(t *testing.T) {
	const file = "class/hwmon/hwmon0/temp1_input"
	for errno, unplugged := range map[syscall.Errno]bool{syscall.ENODEV: true, syscall.ENOENT: true, syscall.EIO: false, syscall.EAGAIN: false, syscall.EACCES: false} {
		s := onMachine(t, Config{Type: HWMon, Driver: "cpu_thermal"}, Hardware{Sysfs: brokenFS{board(), file, errno}})
		err := measure(s)
		require.ErrorIs(t, err, errno)
		if unplugged {
			require.ErrorIs(t, err, ErrUnplugged)
		} else {
			require.NotErrorIs(t, err, ErrUnplugged)
		}
	}
}

// On a machine the classes of sysfs are links, which os.DirFS follows.
func TestSysfsLinks(t *testing.T) {
	root := t.TempDir()
	device := filepath.Join(root, "devices/pci0/nvme0")
	require.NoError(t, os.MkdirAll(filepath.Join(device, "hwmon2"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "class/hwmon"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(device, "hwmon2/name"), []byte("nvme\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(device, "hwmon2/temp1_input"), []byte("35850\n"), 0o644))
	require.NoError(t, os.Symlink("../../nvme0", filepath.Join(device, "hwmon2/device")))
	require.NoError(t, os.Symlink("../../devices/pci0/nvme0/hwmon2", filepath.Join(root, "class/hwmon/hwmon2")))
	s := onMachine(t, Config{Type: HWMon, Driver: "nvme", Bus: "nvme0"}, Hardware{Sysfs: os.DirFS(root)})
	require.NoError(t, measure(s))
	require.Equal(t, []float64{35.85}, s.values)
}
