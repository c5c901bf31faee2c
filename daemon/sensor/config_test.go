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
	registers := func(change func(*Register)) Config {
		r := Register{Name: "heat", Width: 2}
		change(&r)
		return i2c(func(c *Config) { c.Driver, c.Address, c.Registers = Registers, 0x48, []Register{r} })
	}
	require.NoError(t, registers(func(*Register) {}).Check())
	replay := func(change func(*Config)) Config {
		c := Config{Alias: "room", Type: Recorded, File: "a.csv", Time: []string{"Time"}, Format: time.DateTime}
		change(&c)
		return c
	}
	kind := func(kind string, change func(*Config)) Config {
		c := map[string]Config{
			SPI:   {Driver: "mcp3008", Bus: "0.0"},
			GPIO:  {Line: "GPIO17"},
			HWMon: {Driver: "cpu_thermal"},
			IIO:   {Driver: "bme280", Channels: map[string]string{"temp": "x"}},
			Exec:  {Command: []string{"/bin/true"}, Channels: map[string]string{"temp": "x"}},
		}[kind]
		c.Alias, c.Type = "x", kind
		change(&c)
		return c
	}
	for _, k := range []string{SPI, GPIO, HWMon, IIO, Exec} {
		require.NoError(t, kind(k, func(*Config) {}).Check())
		require.NoError(t, kind(k, func(*Config) {}).WithDefaults().Check())
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
		{i2c(func(c *Config) { c.Type = "" }), "type: required: one of i2c, spi, gpio, iio, hwmon, audio, camera, exec, mqtt, push, replay"},
		{i2c(func(c *Config) { c.Type = "i3c" }), `type: "i3c" is not one of: i2c, spi, gpio`},
		{i2c(func(c *Config) { c.File = "a.csv" }), "file: a key of type replay, which type i2c does not have"},
		{i2c(func(c *Config) { c.Unplug = [][2]string{} }), "unplug: a key of type replay"},
		{i2c(func(c *Config) { c.Driver = "" }), `driver: "" is not one of: ads1115, adt7410,`},
		{i2c(func(c *Config) { c.Driver = "bme680" }), `driver: "bme680" is not one of: ads1115,`},
		{i2c(func(c *Config) { c.Registers = []Register{} }), "registers: a key of driver registers, which driver bh1750 does not have"},
		{i2c(func(c *Config) { c.Setup = [][]uint8{{1}} }), "setup: a key of driver registers"},
		{i2c(func(c *Config) { c.Driver = Registers }), "registers: required with this driver: what to read"},
		{i2c(func(c *Config) { c.Driver = Registers }), "address: 0x00 is not in 0x08 to 0x77"},
		{i2c(func(c *Config) { c.Driver, c.Address = "shtc3", 0x71 }), "address: 0x71: a shtc3 is always at 0x70"},
		{registers(func(r *Register) { r.Name = "" }), "registers: 1: name: required"},
		{registers(func(r *Register) { r.Width = 5 }), "registers: 1: width: 5 is not in 1 to 4 bytes"},
		{registers(func(r *Register) { r.Bits = 17 }), "registers: 1: bits: 17 is not in 0 to 16"},
		{registers(func(r *Register) { r.Endian = "middle" }), `registers: 1: endian: "middle" is not "big" or "little"`},
		{i2c(func(c *Config) { c.Driver, c.Address, c.Setup = Registers, 0x48, [][]uint8{{}} }), "setup: 1: 0 bytes are not 1 to 32"},
		{i2c(func(c *Config) { c.Bus = "" }), `bus: "" is not the number N of a /dev/i2c-N`},
		{i2c(func(c *Config) { c.Bus = "/dev/i2c-1" }), `bus: "/dev/i2c-1" is not the number`},
		{i2c(func(c *Config) { c.Bus = "01" }), `bus: "01" is not the number`},
		{i2c(func(c *Config) { c.Address = 0x78 }), "address: 0x78 is not in 0x08 to 0x77"},
		{i2c(func(c *Config) { c.Interval = -1 }), "interval: -1ns is not in 1ms to 24h0m0s"},
		{i2c(func(c *Config) { c.Interval = encoder.Duration(48 * time.Hour) }), "interval: 48h0m0s is not in 1ms"},
		{i2c(func(c *Config) { c.Timeout = 1 }), "timeout: 1ns is not in 20ms to 10s"},
		{i2c(func(c *Config) { c.Timeout = encoder.Duration(time.Minute) }), "timeout: 1m0s is not in 20ms to 10s"},
		{i2c(func(c *Config) { c.StartupError = "warn" }), `startup_error: "warn" is not one of: error, ignore, retry, probe`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"heat": "x"} }), `channels: i2c bh1750 has no reading "heat", only: lux (lx)`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": " x"} }), `channels: lux: " x" is no channel name`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": ""} }), `channels: lux: "" is no channel name`},
		{i2c(func(c *Config) { c.Channels = map[string]string{"lux": "a\n"} }), `channels: lux: "a\n" is no channel name`},
		{kind(SPI, func(c *Config) { c.Driver = "" }), `driver: "" is not one of: max31855, mcp3002`},
		{kind(SPI, func(c *Config) { c.Bus = "0" }), `bus: "0" is not the B.C of a /dev/spidevB.C`},
		{kind(SPI, func(c *Config) { c.Reference = -1 }), "reference: -1 V is not above 0"},
		{kind(SPI, func(c *Config) { c.Channels = map[string]string{"ch8": "x"} }), `channels: spi mcp3008 has no reading "ch8", only: ch0 (V)`},
		{kind(GPIO, func(c *Config) { c.Line = "" }), "line: required: the name of a line"},
		{kind(GPIO, func(c *Config) { c.Bias = "up" }), `bias: "up" is not one of: pull-up, pull-down, none`},
		{kind(GPIO, func(c *Config) { c.Debounce = encoder.Duration(time.Minute) }), "debounce: 1m0s is not in 0s to 1s"},
		{kind(GPIO, func(c *Config) { c.Channels = map[string]string{"up": "x"} }), `channels: gpio has no reading "up", only: level`},
		{kind(GPIO, func(c *Config) { c.Timeout = 1 }), "timeout: 1ns is not in 20ms to 10s"},
		{kind(HWMon, func(c *Config) { c.Driver = "" }), "driver: required: the name that the kernel gives"},
		{kind(HWMon, func(c *Config) { c.Channels = map[string]string{"name": "x"} }), `channels: "name" is no input such as temp1`},
		{kind(HWMon, func(c *Config) { c.Channels = map[string]string{"temp1/../x": "x"} }), "is no input such as temp1"},
		{kind(IIO, func(c *Config) { c.Channels = nil }), "channels: required: which inputs to read, such as temp,"},
		{kind(IIO, func(c *Config) { c.Bus = "../x" }), `bus: "../x" is not the name of a device`},
		{kind(Exec, func(c *Config) { c.Command = nil }), "command: required: a program and its arguments"},
		{kind(Exec, func(c *Config) { c.Command = []string{"weather"} }), `command: "weather" is not an absolute path`},
		{kind(Exec, func(c *Config) { c.DataFormat = "xml" }), `data_format: "xml" is not one of: json, csv, influx`},
		{kind(Exec, func(c *Config) { c.Channels = nil }), "channels: required: which names of its lines"},
		{kind(Exec, func(c *Config) { c.StartupError = "x" }), `startup_error: "x" is not one of`},
		{kind(Exec, func(c *Config) { c.Interval = 1 }), "interval: a key of type i2c, spi, gpio, iio, hwmon, audio, camera, which type exec does not have"},
		{Config{Alias: "p", Type: Push}, "channels: required: which names may be pushed"},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x", "b": "x"}}, `channels: a and b are both called "x"`},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x"}, Bus: "1"}, "bus: a key of type i2c, spi, gpio, iio, hwmon, which type push does not have"},
		{Config{Alias: "p", Type: Push, Channels: map[string]string{"a": "x"}, StartupError: "retry"}, "startup_error: a key of type exec, i2c"},
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
