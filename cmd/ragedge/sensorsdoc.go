package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ragedge/ragedge/daemon/sensor"
)

const sensorsIntro = `# Sensors

What a ` + "`[[sensor]]`" + ` block can read. This page is the output of ` + "`ragedge sensors --markdown`" + `;
` + "`ragedge sensors scan`" + ` finds what is connected and prints blocks to paste.

`

// sensorExamples has a block for each type, in the order of the catalogue.
var sensorExamples = map[string]string{
	sensor.I2C: `alias = "desk"
type = "i2c"
driver = "bme280"
bus = "1"                       # /dev/i2c-1
address = 0x76                  # where the board does not have the default
channels = { temperature = "desk.temp" }   # left out: all readings, as alias.reading

[[sensor]]                      # a chip that is not in the table
alias = "probe"
type = "i2c"
driver = "registers"
bus = "1"
address = 0x48
setup = [[0x01, 0x60]]          # register and bytes to write first
registers = [{ name = "temp", unit = "°C", register = 0x00, width = 2, endian = "big", signed = true, scale = 0.0078125 }]`,
	sensor.SPI: `alias = "soil"
type = "spi"
driver = "mcp3008"
bus = "0.0"                     # /dev/spidev0.0
reference = 3.3                 # volts at full scale
channels = { ch0 = "soil" }`,
	sensor.GPIO: `alias = "door"
type = "gpio"
line = "GPIO17"                 # by name; gpioinfo lists them
bias = "pull-up"
active_low = true
debounce = "5ms"
channels = { level = "door", edges = "door.count" }   # edges since the last reading`,
	sensor.IIO: `alias = "air"
type = "iio"
driver = "bme280"               # the device's name
channels = { temp = "air.temp", pressure = "air.pressure" }`,
	sensor.HWMon: `alias = "cpu"
type = "hwmon"
driver = "cpu_thermal"          # the chip's name, or the type of a thermal zone
channels = { temp1 = "cpu.temp" }`,
	sensor.Exec: `alias = "weather"
type = "exec"
command = ["/usr/local/bin/weather", "--json"]
data_format = "json"            # or csv, influx
timeout = "1m"                  # longest silence
channels = { "outside.temp" = "weather.temp" }`,
	sensor.Push: `alias = "vision"
type = "push"
channels = { people = "people" }`,
	sensor.Recorded: `alias = "yesterday"
type = "replay"
file = "room.csv"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"`,
}

func sensorsMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(sensorsIntro)
	hwmon, iio := sensor.KernelUnits()
	for _, k := range sensor.Catalogue() {
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n```toml\n[[sensor]]\n%s\n```\n", k.Name, capital(k.About), sensorExamples[k.Name])
		switch k.Name {
		case sensor.IIO:
			fmt.Fprintf(&b, "\nInputs are the kernel's `in_…` without the prefix, with scale and offset applied: %s. Triggered buffers are not used.\n", units(iio))
		case sensor.Exec:
			b.WriteString("\nThe program runs as the daemon does and within the limits of its unit. It is begun again when it ends or says nothing for `timeout`; what it writes to stderr goes to the log. Values count from when their line came; times in the lines are not read.\n")
		case sensor.HWMon:
			fmt.Fprintf(&b, "\nInputs are the kernel's, with a number: %s; `…_alarm` is 0 or 1.\n", units(hwmon))
		}
		if len(k.Readings) > 0 {
			fmt.Fprintf(&b, "\nReadings: %s.\n", units(k.Readings))
		}
		driversMarkdown(&b, k.Drivers)
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func driversMarkdown(b *strings.Builder, drivers []sensor.Driver) {
	group := ""
	for _, d := range drivers {
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(b, "\n**%s**\n\n| driver | chip | addresses | readings |\n|---|---|---|---|\n", capital(group))
		}
		var addresses []string
		for _, a := range d.Addresses {
			addresses = append(addresses, fmt.Sprintf("%#02x", a))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", d.Name, d.About, strings.Join(addresses, " "), units(d.Readings))
	}
}

// capital makes the first letter of an ASCII text large.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
