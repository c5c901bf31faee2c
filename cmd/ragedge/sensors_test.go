package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pelletier/go-toml/v2"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

func TestSensorsLists(t *testing.T) {
	var text strings.Builder
	require.NoError(t, sensorsText(&text))
	require.Regexp(t, `(?m)^  bme280 +temperature \(°C\), humidity \(%\), pressure \(Pa\) +temperature, humidity and pressure, Bosch$`, text.String())
	require.Contains(t, text.String(), "gpio: an input line, by its name\n  level (bool), edges (counts)\n")

	c := newSensors()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs([]string{"--json"})
	require.NoError(t, c.Execute())
	var kinds []sensor.Kind
	require.NoError(t, json.Unmarshal(out.Bytes(), &kinds))
	require.Equal(t, sensor.Catalogue(), kinds)
}

// docs/sensors.md is what the catalogue says, and its examples are configurations.
// Run with -args -update to write it.
func TestSensorsDocument(t *testing.T) {
	const page = "../../docs/sensors.md"
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(sensorsMarkdown()), 0o644))
	}
	doc, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, sensorsMarkdown(), string(doc))

	for name, example := range sensorExamples {
		var file struct {
			Sensors []sensor.Config `toml:"sensor"`
		}
		d := toml.NewDecoder(strings.NewReader("[[sensor]]\n" + example))
		require.NoError(t, d.DisallowUnknownFields().Decode(&file), name)
		for _, c := range file.Sensors {
			require.NoError(t, c.Check(), name)
			require.Equal(t, name, c.Type)
		}
	}
	require.Len(t, sensorExamples, len(sensor.Catalogue()))
}

// answering is a bus where some addresses answer with a byte each.
type answering map[uint16]byte

func (b answering) Tx(addr uint16, w, r []byte) error {
	value, there := b[addr]
	if !there {
		return &fs.PathError{Op: "ioctl", Path: "i2c", Err: os.NewSyscallError("ioctl", errNoAnswer{})}
	}
	for i := range r {
		r[i] = value
	}
	return nil
}

func (answering) Close() error { return nil }

type errNoAnswer struct{}

func (errNoAnswer) Error() string { return "remote I/O error" }

func TestSensorsScan(t *testing.T) {
	h := sensor.Hardware{
		I2C:  func(string) (sensor.Bus, error) { return answering{0x76: 0x60, 0x23: 0, 0x0e: 0}, nil },
		Proc: fstest.MapFS{},
		Sysfs: fstest.MapFS{
			"class/i2c-dev/i2c-1/name":         {Data: []byte("bcm2835\n")},
			"class/i2c-dev/i2c-7/name":         {Data: []byte("AMDGPU DM i2c hw bus 0\n")},
			"class/thermal/thermal_zone0/type": {Data: []byte("cpu-thermal\n")},
			"class/thermal/thermal_zone0/temp": {Data: []byte("48199\n")},
		},
	}
	c := newSensorsScan(h)
	var out, notes strings.Builder
	c.SetOut(&out)
	c.SetErr(&notes)
	c.SetArgs([]string{})
	require.NoError(t, c.Execute())
	require.Equal(t, `# address 0x0e on I2C bus 1 answers: unknown to this build: read it with driver = "registers"

# address 0x23 on I2C bus 1 answers: driver is one of bh1750
# [[sensor]]
# alias = "chip-2"
# type = "i2c"
# driver = "bh1750"
# bus = "1"
# address = 0x23

# temperature, humidity and pressure, Bosch
[[sensor]]
alias = "bme280"
type = "i2c"
driver = "bme280"
bus = "1"
address = 0x76

# now temp1 48.199 °C
[[sensor]]
alias = "cpu-thermal"
type = "hwmon"
driver = "cpu-thermal"
channels = { temp1 = "cpu-thermal.temp1" }
`, out.String())
	require.Contains(t, notes.String(), "I2C bus 7 (AMDGPU DM i2c hw bus 0) is the computer's own and was left out; --bus 7 scans it\n")

	out.Reset()
	require.NoError(t, printFound(&out, nil))
	require.Equal(t, "# nothing found\n", out.String())
}
