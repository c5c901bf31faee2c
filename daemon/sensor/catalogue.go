package sensor

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Kind is one type of sensor, for listings.
type Kind struct {
	Name    string   `json:"type"`
	About   string   `json:"about"`
	Drivers []Driver `json:"drivers,omitempty"`
	// Readings are those of a kind that has no drivers; empty where the
	// configuration or the device decides.
	Readings []Quantity `json:"readings,omitempty"`
}

// Driver is one kind of chip.
type Driver struct {
	Name  string `json:"driver"`
	Group string `json:"group"`
	About string `json:"about"`
	// Addresses of the chip on an I2C bus, the default first.
	Addresses []uint16   `json:"addresses,omitempty"`
	Readings  []Quantity `json:"readings"`
}

// Quantity is what a sensor delivers, and its unit.
type Quantity struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

func quantities(all []reading) []Quantity {
	var list []Quantity
	for _, r := range all {
		list = append(list, Quantity{r.name, r.unit})
	}
	return list
}

// groups are the headings of the I2C chips, in their order.
var groups = []string{environment, lighting, gas, moving, magnetism, power, presence}

// Catalogue lists the kinds of sensors that this build has, with their drivers.
func Catalogue() []Kind {
	chips := Kind{Name: I2C, About: "chips on an I2C bus, by name, and any other by its registers (driver = \"registers\")"}
	names := slices.Sorted(maps.Keys(table))
	for _, group := range groups {
		for _, name := range names {
			if d := table[name]; d.group == group {
				chips.Drivers = append(chips.Drivers, Driver{
					Name: name, Group: group, About: d.about,
					Addresses: append([]uint16{d.address}, d.others...), Readings: quantities(d.readings),
				})
			}
		}
	}
	converters := Kind{Name: SPI, About: "converters and thermocouples on an SPI bus"}
	for _, name := range slices.Sorted(maps.Keys(spiTable)) {
		d := spiTable[name]
		converters.Drivers = append(converters.Drivers, Driver{Name: name, Group: SPI, About: d.about, Readings: quantities(d.readings)})
	}
	return []Kind{
		chips,
		converters,
		{Name: GPIO, About: "an input line, by its name", Readings: quantities(gpioReadings)},
		{Name: IIO, About: "a device of the kernel's industrial I/O, by its name, polled through sysfs or read through its buffer"},
		{Name: HWMon, About: "a chip of the kernel's hwmon or a thermal zone, by its name"},
		{Name: Audio, About: "a microphone, through arecord or another program that prints samples", Readings: []Quantity{
			{"level", "dBFS"}, {"peak", "dBFS"}, {"band1 to bandN", "dBFS"}, {"mel1 to melN", "dBFS"},
		}},
		{Name: Camera, About: "a camera, through V4L2 or a program that prints JPEG pictures", Readings: []Quantity{
			{"brightness", "0 to 1"}, {"motion", "0 to 1"}, {"patch1 to patchN", "0 to 1"},
		}},
		{Name: Exec, About: "a program that prints lines of JSON, CSV or Influx line protocol"},
		{Name: MQTT, About: "values from a broker: what ESPHome, Zigbee2MQTT and Tasmota publish, and regions of other boards"},
		{Name: Push, About: "samples that other processes send to the API"},
		{Name: Recorded, About: "a recording, in CSV or as the daemon itself makes it (MCAP), replayed"},
	}
}

// KernelUnits lists how the inputs of hwmon and of IIO begin, and their units.
func KernelUnits() (hwmon, iio []Quantity) {
	for _, u := range hwmonUnits {
		hwmon = append(hwmon, Quantity{u.prefix, u.unit})
	}
	for _, u := range iioUnits {
		iio = append(iio, Quantity{u.prefix, u.unit})
	}
	return hwmon, iio
}

// WriteTOML writes c as a [[sensor]] block, with the keys that lead to its device.
func (c *Config) WriteTOML(w io.Writer) error {
	text := fmt.Sprintf("[[sensor]]\nalias = %q\ntype = %q\n", c.Alias, c.Type)
	if c.Device != "" {
		text += fmt.Sprintf("device = %q\n", c.Device)
	} else {
		text += fmt.Sprintf("driver = %q\n", c.Driver)
	}
	if c.Bus != "" {
		text += fmt.Sprintf("bus = %q\n", c.Bus)
	}
	if c.Address != 0 {
		text += fmt.Sprintf("address = %#02x\n", c.Address)
	}
	if len(c.Channels) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(c.Channels)) {
			pairs = append(pairs, fmt.Sprintf("%s = %q", name, c.Channels[name]))
		}
		text += "channels = { " + strings.Join(pairs, ", ") + " }\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
