package sensor

import (
	"errors"
	"time"

	"tinygo.org/x/drivers/apds9960"
	"tinygo.org/x/drivers/bh1750"
	"tinygo.org/x/drivers/veml6070"
)

const lighting = "light"

// lightChips measure light. The bh1750 runs in continuous mode of high resolution:
// 1 lx, a new value every 120 ms, 180 ms at most (data sheet, "H-resolution mode
// measurement time"), which is its settle time.
var lightChips = map[string]driver{
	"bh1750": {group: lighting, commands: true, about: "illuminance, Rohm", address: 0x23, others: []uint16{0x5c},
		settle: 180 * ms, lost: powerLoss{zero: time.Minute}, readings: []reading{{"lux", "lx"}}, open: openBH1750},
	"veml6070": {group: lighting, fixed: true, commands: true, about: "ultraviolet A, Vishay", address: 0x38, timeout: 400 * ms,
		readings: []reading{{"uva", "W/m²"}}, open: openVEML6070},
	"apds9960": {group: lighting, about: "red, green, blue and clear light, Broadcom", address: 0x39,
		identity: identity{register: "\x92", value: "\xab"}, lost: resetTo(0x00, 0xff, 0x80), settle: 300 * ms,
		readings: []reading{{"red", "counts"}, {"green", "counts"}, {"blue", "counts"}, {"clear", "counts"}}, open: openAPDS9960},
}

// allOnes is what the driver makes of the count 0xffff, in thousandths of a lux.
const allOnes = 250 * bh1750.HIGH_RES * 0xffff / 3

var errAllOnes = errors.New("the chip reads all ones: the light is too strong for it, or its data line hangs high")

// openBH1750 gives lux. A count of all ones is no measurement: it says more than
// 54612 lx, or that nobody pulled the line down.
func openBH1750(bus *transfers, c Config) chip {
	d := bh1750.New(bus)
	d.Address = c.Address
	return chip{always(d.Configure), func(values []float64) error {
		millilux := d.Illuminance()
		if millilux == allOnes {
			return errAllOnes
		}
		values[0] = float64(millilux) / 1000
		return nil
	}}
}

// openVEML6070 measures for 100 ms, as long as the driver then sleeps twice.
func openVEML6070(bus *transfers, _ Config) chip {
	d := veml6070.New(bus)
	d.IT = veml6070.IT_1
	configure := func() error { d.Configure(); return nil }
	return chip{configure, func(values []float64) error {
		milliwatts, err := d.ReadUVALightIntensity()
		values[0] = float64(milliwatts) / 1000
		return err
	}}
}

func openAPDS9960(bus *transfers, c Config) chip {
	d := apds9960.New(bus)
	d.Address = uint8(c.Address)
	configure := func() error {
		d.Configure(apds9960.Configuration{})
		d.EnableColor()
		return nil
	}
	return chip{configure, func(values []float64) error {
		red, green, blue, clear := d.ReadColor()
		vector(values, red, green, blue, 1)
		values[3] = float64(clear)
		return nil
	}}
}
