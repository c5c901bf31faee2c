package main

import (
	"flag"
	"fmt"
	"strings"

	"github.com/ragedge/ragedge/daemon/sensor"
)

var update = flag.Bool("update", false, "write docs/sensors.md and the packed recording anew")

const sensorsIntro = `# Sensors

What a ` + "`[[sensor]]`" + ` block can read. It is made from the table that ` + "`ragedge sensors`" + ` prints;
` + "`ragedge sensors scan`" + ` finds what is connected and prints blocks to paste.

Every type but audio and camera can have ` + "`ranges = { lux = [0, 120000] }`" + ` with ` + "`out_of_range`" + `, and what is read at an
interval ` + "`frozen_after = \"10m\"`" + ` with ` + "`frozen`" + `; i2c has ` + "`reinit`" + `. [Reliability](reliability.md) says what becomes of a
sensor that fails, freezes or lies.

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
channels = { temp = "air.temp", pressure = "air.pressure" }

[[sensor]]                      # 100 and more readings a second, through the buffer
alias = "pump"
type = "iio"
driver = "lis3dh"
trigger = "lis3dh-dev0"
buffer = 128                    # scans that the kernel keeps
interval = "100ms"              # how often the buffer is emptied
channels = { accel_x = "pump.x", accel_y = "pump.y", accel_z = "pump.z" }`,
	sensor.Audio: `alias = "hall"
type = "audio"
device = "plughw:CARD=Device"   # by name; ragedge sensors scan finds it, arecord -L lists all
rate = 16000
interval = "100ms"              # of one frame
bands = ["125-250Hz", "250-500Hz", "500-2000Hz"]
mels = 40                       # log-mel powers; leave it out where bands do
channels = { level = "hall.level", band1 = "hall.low", mel12 = "hall.voice" }`,
	sensor.Camera: `alias = "door"
type = "camera"
device = "UVC Camera (046d:0825)"   # the kernel's name, or /dev/video0
interval = "500ms"
grid = "2x2"                    # patch1 and patch2 are the upper row
channels = { brightness = "door.light", motion = "door.motion", patch4 = "door.mat" }

[[sensor]]                      # a camera of a Raspberry Pi
alias = "yard"
type = "camera"
command = ["/usr/bin/rpicam-vid", "-n", "-t", "0", "--codec", "mjpeg", "--width", "320", "--height", "240", "--framerate", "5", "-o", "-"]`,
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
	sensor.MQTT: `alias = "hall"
type = "mqtt"                   # see docs/mqtt.md
url = "mqtt://broker"
topic = "zigbee2mqtt/hall"      # + and # work: names then begin with what they stood for
availability = "zigbee2mqtt/hall/availability"
channels = { temperature = "hall.temp", occupancy = "hall.motion" }`,
	sensor.Push: `alias = "vision"
type = "push"
channels = { people = "people" }`,
	sensor.Recorded: `alias = "yesterday"
type = "replay"
file = "room.csv"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"`,
}

const bufferAbout = `With ` + "`trigger` or `buffer`" + ` the device is read through its buffer: the daemon switches on the channels that are asked for,
sets trigger and length, and takes all scans at every ` + "`interval`" + `, each with the time that the kernel gave it, where the
device has a channel ` + "`timestamp`" + `. A buffer that is found full has lost scans, which
` + "`ragedge_sensor_overruns_total`" + ` counts. How often the trigger fires is set outside the daemon
(` + "`sampling_frequency`" + `). The unit makes /sys read-only: either allow the device with a drop-in
(` + "`ReadWritePaths=`" + ` and its real directory, and files that the group iio may write), or let root arrange the same
channels, trigger and length and switch the buffer on before; what is already as it should be is not written.`

const audioAbout = `The default is ` + "`arecord -q -t raw -f S16_LE -c 1 -r RATE -D DEVICE -`" + `, from alsa-utils; ` + "`command`" + ` in place of
` + "`device`" + ` may be any program that prints such samples. Every ` + "`interval`" + ` makes one reading, whose time is that of its last
sample. All readings are decibels relative to full scale, where a square wave is at 0 and a sine at -3, and silence is
-120: ` + "`level`" + ` is the mean power without the converter's offset, ` + "`peak`" + ` the largest sample, a band adds up the part of the
spectrum in it, so that one from 0 Hz to half the rate has about the level; mels are triangles on the scale
2595·log10(1 + f/700), whose sides overlap. No sound for ` + "`timeout`" + ` (three intervals, 1s at least), an overrun that ends the program, or a device
that is busy is a failed reading with the program's last words, and the program is begun again, later each time. Under systemd
it needs the drop-in ` + "`40-audio.conf`" + `.`

const cameraAbout = `Brightness goes from 0 for black to 1 for white, as does every patch of ` + "`grid`" + `, row by row from the top left; motion is the mean change of
brightness since the reading before, over 12 × 16 patches. A device is asked for 320 × 240 pixels without compression (GREY,
YUYV, NV12, YU12), or JPEG. ` + "`command`" + ` in place of ` + "`device`" + ` prints JPEG pictures of up to 4 MiB and 1920 × 1080 pixels, one after the other,
as rpicam-vid and ` + "`ffmpeg -f mjpeg -`" + ` do. Pictures that come before ` + "`interval`" + ` is over are not decoded;
` + "`ragedge_sensor_pictures_skipped_total`" + ` counts them. A corrupt picture is a failed reading; no picture for ` + "`timeout`" + ` (5s), a camera that is
busy or gone is one too, and it is opened again, later each time. No picture is kept. Under systemd it
needs the drop-in ` + "`50-camera.conf`" + `.`

func sensorsMarkdown() string {
	var b strings.Builder
	b.WriteString(sensorsIntro)
	hwmon, iio := sensor.KernelUnits()
	for _, k := range sensor.Catalogue() {
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n```toml\n[[sensor]]\n%s\n```\n", k.Name, capital(k.About), sensorExamples[k.Name])
		switch k.Name {
		case sensor.IIO:
			fmt.Fprintf(&b, "\nInputs are the kernel's `in_…` without the prefix, with scale and offset applied: %s.\n\n%s\n", units(iio), bufferAbout)
		case sensor.Audio:
			b.WriteString("\n" + audioAbout + "\n")
		case sensor.Camera:
			b.WriteString("\n" + cameraAbout + "\n")
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
	return strings.TrimRight(b.String(), "\n") + "\n"
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
