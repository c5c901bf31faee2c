package sensor

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"
)

// scanBus is a bus that notes what is written where.
type scanBus struct {
	simBus
	wrote map[uint16][][]byte
}

func (b *scanBus) Tx(addr uint16, w, r []byte) error {
	if len(w) > 0 {
		b.wrote[addr] = append(b.wrote[addr], append([]byte(nil), w...))
	}
	return b.simBus.Tx(addr, w, r)
}

func scanned(t *testing.T, sysfs fstest.MapFS, chips map[uint16]*sim) (Scan, *scanBus) {
	var s Scan
	bus := &scanBus{simBus{chips: chips, fails: -1}, map[uint16][][]byte{}}
	synctest.Test(t, func(t *testing.T) {
		s = Hardware{Sysfs: sysfs, Proc: fstest.MapFS{}, Lines: func() []string { return []string{"GPIO17", "GPIO27"} }, I2C: func(name string) (Bus, error) {
			if name != "1" {
				return nil, syscall.EACCES
			}
			return bus, nil
		}}.Look(nil)
	})
	return s, bus
}

func TestScanFindsChips(t *testing.T) {
	sysfs := tree(map[string]string{
		"class/i2c-dev/i2c-0/name":      "SMBus I801 adapter at efa0\n",
		"class/i2c-dev/i2c-1/name":      "bcm2835 (i2c@7e804000)\n",
		"class/i2c-dev/i2c-3/name":      "bcm2835 (i2c@7e205600)\n",
		"bus/i2c/devices/1-0077/driver": "->../../../bus/i2c/drivers/bmp280",
		"bus/i2c/devices/1-0077/name":   "bmp280\n",
	})
	s, bus := scanned(t, sysfs, map[uint16]*sim{
		0x76: (&sim{}).block(0xd0, 0x60),                   // a BME280
		0x68: (&sim{}).block(0x75, 0x68),                   // an MPU-6050 or -9150
		0x44: {answers: map[string]string{}},               // an SHT3x or SHT4x
		0x77: (&sim{}).block(0xd0, 0x58),                   // held by the kernel
		0x0e: (&sim{}),                                     // no MAG3110
		0x50: (&sim{}),                                     // a memory that nobody may touch
		0x29: (&sim{wide: true}).block(0x010f, 0xea, 0xcc), // a VL53L1X
	})
	var found []string
	for _, f := range s.Found {
		found = append(found, strings.Join(append([]string{f.Config.Alias, f.Config.Driver}, f.Candidates...), " "))
	}
	require.Equal(t, []string{"chip ", "vl53l1x vl53l1x", "chip-2  ina219 ina260 sht3x sht4x", "chip-3  mpu6050 mpu9150", "bme280 bme280", "chip-4 "}, found)
	require.Contains(t, s.Found[0].Note, "unknown to this build")
	require.Contains(t, s.Found[5].Note, "the kernel's driver bmp280 has it")
	require.Equal(t, []string{
		"I2C bus 0 (SMBus I801 adapter at efa0) is the computer's own and was left out; --bus 0 scans it",
		"I2C bus 3: permission denied; this user may not open /dev/i2c-3: add it to the group of that file",
		`GPIO lines that nothing uses, for type = "gpio": GPIO17, GPIO27`,
	}, s.Notes)

	require.NotContains(t, bus.wrote, uint16(0x50), "not an address of a known chip")
	require.NotContains(t, bus.wrote, uint16(0x77), "held by the kernel")
	require.NotContains(t, bus.wrote, uint16(0x44), "a known chip there takes commands")
	for address, all := range bus.wrote {
		for _, w := range all {
			require.LessOrEqual(t, len(w), 2, "%#x", address)
			if address != 0x29 {
				require.Len(t, w, 1, "%#x: the number of a register and no value", address)
			}
		}
	}
}

func TestScanFindsKernelDevices(t *testing.T) {
	s, _ := scanned(t, board(), nil)
	require.Contains(t, s.Notes[0], "no I2C bus: switch one on")
	notes := map[string]string{}
	var text strings.Builder
	for _, f := range s.Found {
		notes[f.Config.Alias] = f.Note
		require.NoError(t, f.Config.Check())
		require.NoError(t, f.Config.WriteTOML(&text))
	}
	require.Equal(t, map[string]string{
		"cpu_thermal":   "now temp1 48.686 °C",
		"rpi_volt":      "now in0_lcrit_alarm 1 bool",
		"nvme":          "now temp1 35.85 °C",
		"nvme-2":        "now temp1 41.85 °C",
		"ina226":        "now curr1 -0.312 A, fan1 1200 rpm, in1 5.072 V, power1 1.58246 W",
		"bme280":        "now humidityrelative 54.218 %, pressure 100653 Pa, temp 25.08 °C",
		"ads1015":       "now voltage0 3 V, voltage1 -0.4 V",
		"lsm6dso_accel": "now accel_x 0.598205 m/s², temp 23 °C",
	}, notes, "the zone cpu-thermal is the chip cpu_thermal")

	var file struct {
		Sensors []Config `toml:"sensor"`
	}
	d := toml.NewDecoder(strings.NewReader(text.String()))
	require.NoError(t, d.DisallowUnknownFields().Decode(&file))
	require.Len(t, file.Sensors, len(s.Found))
	for i, f := range s.Found {
		require.Equal(t, f.Config, file.Sensors[i], "what is printed can be pasted")
	}
}

// hungFS hangs in one file.
type hungFS struct {
	fstest.MapFS
	file   string
	wait   chan struct{}
	opened atomic.Int32
}

func (h *hungFS) Open(name string) (fs.File, error) {
	if name == h.file && h.opened.Add(1) > 0 {
		<-h.wait
	}
	return h.MapFS.Open(name)
}

// A bus and a zone that hang are named and cost scanTime each.
func TestScanOfWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sysfs := &hungFS{MapFS: tree(map[string]string{
			"class/i2c-dev/i2c-1/name":         "bcm2835\n",
			"class/thermal/thermal_zone0/type": "gpu-thermal\n",
			"class/thermal/thermal_zone0/temp": "1000\n",
		}), file: "class/thermal/thermal_zone0/temp", wait: make(chan struct{})}
		begun := time.Now()
		stat := fstest.MapFS(sysfs.MapFS)
		s := Hardware{Sysfs: statFS{sysfs, stat}, Proc: fstest.MapFS{}, Lines: func() []string { return nil }, I2C: func(string) (Bus, error) { <-sysfs.wait; return nil, syscall.ENOENT }}.Look([]string{"1"})
		require.Equal(t, []string{"I2C bus 1 hangs: a chip holds it, switch its power off and on"}, s.Notes)
		require.Equal(t, "hangs when it is read: leave it out", s.Found[0].Note)
		require.Equal(t, 2*scanTime, time.Since(begun))
		close(sysfs.wait)
	})
}

// statFS answers Stat without opening.
type statFS struct {
	fs.FS
	tree fstest.MapFS
}

func (s statFS) Stat(name string) (fs.FileInfo, error) { return s.tree.Stat(name) }

func (s statFS) ReadLink(name string) (string, error) { return s.tree.ReadLink(name) }

func (s statFS) Lstat(name string) (fs.FileInfo, error) { return s.tree.Lstat(name) }

func TestCatalogue(t *testing.T) {
	var names []string
	chips := 0
	for _, k := range Catalogue() {
		names = append(names, k.Name)
		for _, d := range k.Drivers {
			require.NotEmpty(t, d.About)
			require.NotEmpty(t, d.Readings, d.Name)
			for _, r := range d.Readings {
				require.NotEmpty(t, r.Unit, d.Name)
			}
		}
		chips += len(k.Drivers)
	}
	require.Equal(t, kinds, names)
	require.Equal(t, len(table)+len(spiTable), chips)
	for name, d := range table {
		require.Contains(t, groups, d.group, name)
	}
}
