package sensor

import (
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

const example = `
[[sensor]]
alias = "desk-light"
type = "i2c"
driver = "bh1750"
bus = "1"
address = 0x23
interval = "1s"
timeout = "200ms"
startup_error = "retry"
channels = { lux = "light1" }

[[sensor]]
alias = "yesterday"
type = "replay"
file = "room-demo.csv"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"
label = "Room_Occupancy_Count"
unplug = [["2017/12/22 15:00:00", "2017/12/22 16:00:00"]]

[[sensor]]
alias = "door"
type = "push"
channels = { open = "door" }
`

func TestConfigFromTOML(t *testing.T) {
	var file struct {
		Sensors []Config `toml:"sensor"`
	}
	d := toml.NewDecoder(strings.NewReader(example))
	require.NoError(t, d.DisallowUnknownFields().Decode(&file))
	require.Len(t, file.Sensors, 3)
	for _, c := range file.Sensors {
		require.NoError(t, c.Check())
		require.NoError(t, c.WithDefaults().Check())
	}
	require.Equal(t, []string{"light1"}, file.Sensors[0].ChannelNames())
	require.Empty(t, file.Sensors[1].ChannelNames())
	require.Equal(t, []string{"door"}, file.Sensors[2].ChannelNames())
}

func TestDefaults(t *testing.T) {
	c := Config{Alias: "desk", Type: I2C, Driver: "bh1750", Bus: "1"}
	require.NoError(t, c.Check())
	require.Equal(t, []string{"desk.lux"}, c.ChannelNames())
	want := c
	want.Address, want.StartupError = 0x23, "retry"
	want.Interval, want.Timeout = encoder.Duration(time.Second), encoder.Duration(200*time.Millisecond)
	require.Equal(t, want, c.WithDefaults())

	r := Config{Type: Recorded}.WithDefaults()
	require.Equal(t, Config{Type: Recorded, Zone: "UTC", Speed: "1"}, r)
	require.Equal(t, Config{Type: Push}, Config{Type: Push}.WithDefaults())
}

func TestCheck(t *testing.T) {
	i2c := func(change func(*Config)) Config {
		c := Config{Alias: "desk", Type: I2C, Driver: "bh1750", Bus: "1"}
		change(&c)
		return c
	}
	replay := func(change func(*Config)) Config {
		c := Config{Alias: "room", Type: Recorded, File: "a.csv", Time: []string{"Time"}, Format: time.DateTime}
		change(&c)
		return c
	}
	require.NoError(t, i2c(func(*Config) {}).Check())
	require.NoError(t, replay(func(*Config) {}).Check())
	require.NoError(t, replay(func(c *Config) { c.Speed, c.Zone = "max", "Local" }).Check())
	for _, c := range []struct {
		config Config
		want   string
	}{
		{i2c(func(c *Config) { c.Alias = "" }), "alias: required"},
		{i2c(func(c *Config) { c.Alias = "Desk" }), `alias: "Desk": an alias has a-z, 0-9, _ and - only`},
		{i2c(func(c *Config) { c.Alias = strings.Repeat("a", 129) }), "alias: longer than 128 bytes"},
		{i2c(func(c *Config) { c.Type = "" }), "type: required: one of i2c, push, replay"},
		{i2c(func(c *Config) { c.Type = "gpio" }), "type: this build does not have gpio yet; it has i2c, push, replay"},
		{i2c(func(c *Config) { c.Type = "i3c" }), `type: "i3c" is not one of: i2c, push, replay`},
		{i2c(func(c *Config) { c.File = "a.csv" }), "file: a key of type replay, which type i2c does not have"},
		{i2c(func(c *Config) { c.Unplug = [][2]string{} }), "unplug: a key of type replay"},
		{i2c(func(c *Config) { c.Driver = "" }), `driver: "" is not one of: bh1750`},
		{i2c(func(c *Config) { c.Driver = "bme280" }), `driver: "bme280" is not one of: bh1750`},
		{i2c(func(c *Config) { c.Bus = "" }), `bus: "" is not the number N of a /dev/i2c-N`},
		{i2c(func(c *Config) { c.Bus = "/dev/i2c-1" }), `bus: "/dev/i2c-1" is not the number`},
		{i2c(func(c *Config) { c.Bus = "01" }), `bus: "01" is not the number`},
		{i2c(func(c *Config) { c.Address = 0x78 }), "address: 0x78 is not in 0x08 to 0x77"},
		{i2c(func(c *Config) { c.Interval = -1 }), "interval: -1ns is not in 1ms to 24h0m0s"},
		{i2c(func(c *Config) { c.Interval = encoder.Duration(48 * time.Hour) }), "interval: 48h0m0s is not in 1ms"},
		{i2c(func(c *Config) { c.Timeout = 1 }), "timeout: 1ns is not in 20ms to 10s"},
		{i2c(func(c *Config) { c.Timeout = encoder.Duration(time.Minute) }), "timeout: 1m0s is not in 20ms to 10s"},
		{i2c(func(c *Config) { c.StartupError = "warn" }), `startup_error: "warn" is not one of: error, ignore, retry, probe`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"heat": "x"} }), `channels: driver bh1750 has no reading "heat", only: lux (lx)`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": " x"} }), `channels: lux: " x" is no channel name`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": ""} }), `channels: lux: "" is no channel name`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": "a\n"} }), `channels: lux: "a\n" is no channel name`},
		{Config{Alias: "p", Type: Push}, "channels: required: which names may be pushed"},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x", "b": "x"}}, `channels: a and b are both called "x"`},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x"}, Bus: "1"}, "bus: a key of type i2c, which type push does not have"},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x"}, StartupError: "retry"}, "startup_error: a key of type i2c"},
		{replay(func(c *Config) { c.File = "" }), "file: required"},
		{replay(func(c *Config) { c.Time = nil }), "time: required"},
		{replay(func(c *Config) { c.Format = "" }), "format: required"},
		{replay(func(c *Config) { c.Zone = "Mars/Olympus" }), "zone: unknown time zone Mars/Olympus"},
		{replay(func(c *Config) { c.Speed = "0" }), `speed: "0" is neither "max" nor a number above 0`},
		{replay(func(c *Config) { c.Speed = "NaN" }), `speed: "NaN" is neither`},
		{replay(func(c *Config) { c.Speed = "Inf" }), `speed: "Inf" is neither`},
		{replay(func(c *Config) { c.Speed = "fast" }), `speed: "fast" is neither`},
		{replay(func(c *Config) { c.Interval = 1 }), "interval: a key of type i2c"},
		{replay(func(c *Config) { c.Unplug = [][2]string{{"2020-01-01", "2021-01-01"}} }), `unplug: "2020-01-01" is not a time like`},
		{replay(func(c *Config) {
			c.Unplug = [][2]string{{"2020-01-01 00:00:00", "2020-01-01 00:00:00"}}
		}), `unplug: "2020-01-01 00:00:00" is not before "2020-01-01 00:00:00"`},
	} {
		require.ErrorContains(t, c.config.Check(), c.want)
	}

	all := Config{Alias: "X", Type: I2C, Bus: "x", Speed: "2"}.Check()
	for _, key := range []string{"alias: ", "driver: ", "bus: ", "speed: "} {
		require.ErrorContains(t, all, key, "one run names every key")
	}
}
