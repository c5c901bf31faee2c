package daemon

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// A daemon without a model collects from the kernel's devices and from programs; a
// zone that is not there and a program that ends take nothing from the others.
func TestKindsOfSensors(t *testing.T) {
	sysfs := fstest.MapFS{
		"class/thermal/thermal_zone0/type": {Data: []byte("cpu-thermal\n")},
		"class/thermal/thermal_zone0/temp": {Data: []byte("48199\n")},
	}
	zone := func(alias, name string) sensor.Config {
		return sensor.Config{Alias: alias, Type: sensor.HWMon, Driver: name, Interval: encoder.Duration(10 * time.Millisecond)}
	}
	program := func(alias, script string) sensor.Config {
		return sensor.Config{Alias: alias, Type: sensor.Exec, Command: []string{"/bin/sh", "-c", script}, Channels: map[string]string{"temp": alias}}
	}
	d, err := New(quiet(zone("cpu", "cpu-thermal"), zone("gpu", "gpu-thermal"),
		program("roof", `echo '{"temp":1}'; exec sleep 60`), program("attic", "exit 1")),
		Environment{Hardware: sensor.Hardware{Sysfs: sysfs}, Notify: &notes{}})
	require.NoError(t, err)
	stop := run(t, d)
	require.Eventually(t, func() bool {
		s := d.pipeline.sensorStatus(d.current.Load().sensors)
		return s[0].State == "up" && s[1].State == "down" && s[2].State == "up" && s[3].Errors > 0
	}, 10*time.Second, time.Millisecond)
	s := d.pipeline.sensorStatus(d.current.Load().sensors)
	require.Contains(t, s[1].Reason, "nothing in /sys/class/thermal is called gpu-thermal, only: cpu-thermal")
	require.Contains(t, s[3].Reason, "the program ended: exit status 1")
	require.NoError(t, stop())
}

func TestSensorsOfOnePlace(t *testing.T) {
	for place, c := range map[string]sensor.Config{
		"address 0x23 on bus 1": {Type: sensor.I2C, Driver: "bh1750", Bus: "1"},
		"SPI bus 0.0":           {Type: sensor.SPI, Driver: "mcp3008", Bus: "0.0"},
		"GPIO line GPIO17":      {Type: sensor.GPIO, Line: "GPIO17"},
	} {
		a, b := c, c
		a.Alias, b.Alias = "a", "b"
		config := quiet(a, b)
		require.ErrorContains(t, config.Check(), place+" is sensor a's already")
	}
	zones := quiet(sensor.Config{Alias: "a", Type: sensor.HWMon, Driver: "x"}, sensor.Config{Alias: "b", Type: sensor.HWMon, Driver: "x"})
	require.NoError(t, zones.Check(), "files can be read twice")
}
