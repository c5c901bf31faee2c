package sensor

import (
	"errors"

	"tinygo.org/x/drivers"
	"tinygo.org/x/drivers/aht20"
	"tinygo.org/x/drivers/bme280"
	"tinygo.org/x/drivers/bmp180"
	"tinygo.org/x/drivers/bmp280"
	"tinygo.org/x/drivers/bmp388"
	"tinygo.org/x/drivers/lps22hb"
	"tinygo.org/x/drivers/sht3x"
	"tinygo.org/x/drivers/sht4x"
	"tinygo.org/x/drivers/shtc3"
	"tinygo.org/x/drivers/tmp102"
)

const environment = "environment"

// environmentChips measure the air. Three of them are read by their registers: the
// drivers of mcp9808 and adt7410 lose the sign of what is below 0 °C, and lm75 has
// none.
var environmentChips = map[string]driver{
	"bme280": {group: environment, about: "temperature, humidity and pressure, Bosch",
		address: 0x76, others: []uint16{0x77}, identity: identity{register: "\xd0", value: "\x60"},
		lost: resetTo(0x00, 0xff, 0xf4), lively: lively, settle: 200 * ms, readings: []reading{temperature, humidity, pressure}, open: openBME280},
	"bmp180": {group: environment, about: "temperature and pressure, Bosch",
		address: 0x77, identity: identity{register: "\xd0", value: "\x55"},
		readings: []reading{temperature, pressure}, open: openBMP180},
	"bmp280": {group: environment, about: "temperature and pressure, Bosch",
		address: 0x76, others: []uint16{0x77}, identity: identity{register: "\xd0", value: "\x58"},
		lost: resetTo(0x00, 0xff, 0xf4), lively: lively, settle: 200 * ms, readings: []reading{temperature, pressure}, open: openBMP280},
	"bmp388": {group: environment, about: "temperature and pressure, Bosch",
		address: 0x77, others: []uint16{0x76}, identity: identity{register: "\x00", value: "\x50"},
		lost: resetTo(0x00, 0xff, 0x1b), lively: lively, settle: 100 * ms, readings: []reading{temperature, pressure}, open: openBMP388},
	"lps22hb": {group: environment, about: "temperature and pressure, ST",
		address: 0x5c, others: []uint16{0x5d}, identity: identity{register: "\x0f", value: "\xb1"},
		lost: resetTo(0x00, 0xff, 0x10), readings: []reading{temperature, pressure}, open: openLPS22HB},
	"aht20": {group: environment, commands: true, about: "temperature and humidity, Aosong",
		address: 0x38, timeout: 400 * ms, settle: 100 * ms, readings: []reading{temperature, humidity}, open: openAHT20},
	"sht3x": {group: environment, commands: true, about: "temperature and humidity SHT30, SHT31, SHT35, Sensirion",
		address: 0x44, others: []uint16{0x45}, readings: []reading{temperature, humidity}, open: openSHT3x},
	"sht4x": {group: environment, commands: true, about: "temperature and humidity SHT40, SHT41, SHT45, Sensirion",
		address: 0x44, others: []uint16{0x45, 0x46}, readings: []reading{temperature, humidity}, open: openSHT4x},
	"shtc3": {group: environment, fixed: true, commands: true, about: "temperature and humidity, Sensirion",
		address: 0x70, readings: []reading{temperature, humidity}, open: openSHTC3},
	"tmp102": {group: environment, about: "temperature, Texas Instruments",
		address: 0x48, others: []uint16{0x49, 0x4a, 0x4b}, settle: 300 * ms, readings: []reading{temperature}, open: openTMP102},
	"mcp9808": known(driver{group: environment, about: "temperature, Microchip",
		address: 0x18, others: []uint16{0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
		identity: identity{register: "\x06", value: "\x00\x54"}, settle: 250 * ms},
		[][]uint8{{0x01, 0x00, 0x00}},
		Register{Name: "temperature", Unit: "°C", Register: 0x05, Width: 2, Bits: 13, Signed: true, Scale: 1. / 16}),
	"adt7410": known(driver{group: environment, about: "temperature, Analog Devices",
		address: 0x48, others: []uint16{0x49, 0x4a, 0x4b},
		identity: identity{register: "\x0b", value: "\xc8", mask: 0xf8},
		lost:     resetTo(0x00, 0x80, 0x03), settle: 250 * ms},
		[][]uint8{{0x03, 0x80}},
		Register{Name: "temperature", Unit: "°C", Register: 0x00, Width: 2, Signed: true, Scale: 1. / 128}),
	"lm75": known(driver{group: environment, about: "temperature LM75, LM75A and alike",
		address: 0x48, others: []uint16{0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f}, settle: 300 * ms},
		[][]uint8{{0x01, 0x00}},
		Register{Name: "temperature", Unit: "°C", Register: 0x00, Width: 2, Signed: true, Scale: 1. / 256}),
}

func openBME280(bus *transfers, c Config) chip {
	d := bme280.New(&restarting{bus, []byte{bme280.CMD_RESET, 0xb6}, 3 * ms})
	d.Address = c.Address
	return chip{always(d.Configure), func(values []float64) error {
		t, _ := d.ReadTemperature()
		h, _ := d.ReadHumidity()
		p, _ := d.ReadPressure()
		values[0], values[1], values[2] = float64(t)/1000, float64(h)/100, float64(p)/1000
		return notZero(p)
	}}
}

var errNoPressure = errors.New("the chip gives a pressure of 0 Pa: its calibration is not readable, switch its power off and on")

// notZero refuses the pressure that the drivers give where the chip's calibration
// would make them divide by 0.
func notZero(pressure int32) error {
	if pressure == 0 {
		return errNoPressure
	}
	return nil
}

func openBMP180(bus *transfers, c Config) chip {
	d := bmp180.New(bus)
	d.Address = c.Address
	return chip{always(d.Configure), func(values []float64) error {
		t, _ := d.ReadTemperature()
		p, _ := d.ReadPressure()
		values[0], values[1] = float64(t)/1000, float64(p)/1000
		return notZero(p)
	}}
}

func openBMP280(bus *transfers, c Config) chip {
	d := bmp280.New(bus)
	d.Address = c.Address
	configure := func() error {
		d.Configure(bmp280.STANDBY_63MS, bmp280.FILTER_4X, bmp280.SAMPLING_2X, bmp280.SAMPLING_16X, bmp280.MODE_NORMAL)
		return nil
	}
	return chip{configure, func(values []float64) error {
		if err := d.Update(drivers.Temperature | drivers.Pressure); err != nil {
			return err
		}
		t, p := d.Measurements()
		values[0], values[1] = float64(t)/1000, float64(p)/1000
		return notZero(p)
	}}
}

func openBMP388(bus *transfers, c Config) chip {
	d := bmp388.New(bus)
	d.Address = uint8(c.Address)
	configure := func() error {
		return d.Configure(bmp388.Config{Pressure: bmp388.Sampling8X, Temperature: bmp388.Sampling2X, Mode: bmp388.Normal, ODR: bmp388.Odr25})
	}
	return chip{configure, func(values []float64) error {
		t, err := d.ReadTemperature()
		if err != nil {
			return err
		}
		p, err := d.ReadPressure()
		values[0], values[1] = float64(t)/100, float64(p)/100
		return err
	}}
}

func openLPS22HB(bus *transfers, c Config) chip {
	d := lps22hb.New(bus)
	d.Address = uint8(c.Address)
	return chip{always(d.Configure), func(values []float64) error {
		t, _ := d.ReadTemperature()
		p, _ := d.ReadPressure()
		values[0], values[1] = float64(t)/1000, float64(p)/10
		return nil
	}}
}

func openAHT20(bus *transfers, c Config) chip {
	d := aht20.New(&trailer{bus, 7})
	d.Address = c.Address
	return chip{always(d.Configure), func(values []float64) error {
		err := d.Read()
		values[0], values[1] = float64(d.Celsius()), float64(d.RelHumidity())
		return err
	}}
}

func openSHT3x(bus *transfers, c Config) chip {
	d := sht3x.New(&words{transfers: bus})
	d.Address = c.Address
	return chip{always(func() {}), func(values []float64) error {
		t, h, err := d.ReadTemperatureHumidity()
		if t < -45000 { // above 118 °C the driver's product of 35000 and 16 bits overflows
			t += (1 << 32) / 13107
		}
		values[0], values[1] = float64(t)/1000, float64(h)/100
		return err
	}}
}

func openSHT4x(bus *transfers, c Config) chip {
	d := sht4x.New(&words{transfers: bus})
	d.Address = uint8(c.Address)
	return chip{always(func() {}), func(values []float64) error {
		t, h, err := d.ReadTemperatureHumidity()
		values[0], values[1] = float64(t)/1000, min(max(float64(h)/1000, 0), 100)
		return err
	}}
}

func openSHTC3(bus *transfers, _ Config) chip {
	d := shtc3.New(&words{transfers: bus})
	return chip{d.WakeUp, func(values []float64) error {
		t, h, err := d.ReadTemperatureHumidity()
		values[0], values[1] = float64(t)/1000, float64(h)/100
		return err
	}}
}

func openTMP102(bus *transfers, c Config) chip {
	d := tmp102.New(bus)
	configure := func() error {
		d.Configure(tmp102.Config{Address: uint8(c.Address)})
		return nil
	}
	return chip{configure, func(values []float64) error {
		t, err := d.ReadTemperature()
		values[0] = float64(t) / 1000
		return err
	}}
}
