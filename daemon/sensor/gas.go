package sensor

import (
	"errors"
	"time"

	"tinygo.org/x/drivers"
	"tinygo.org/x/drivers/ens160"
	"tinygo.org/x/drivers/scd4x"
	"tinygo.org/x/drivers/sgp30"
)

const gas = "gas"

// gasChips need time: each settles as long as its data sheet says that its first
// values mean nothing. The sgp30 wants to be read once a second.
var gasChips = map[string]driver{
	"sgp30": {group: gas, fixed: true, commands: true, about: "equivalent CO2 and volatile organic compounds, Sensirion", address: 0x58,
		settle: 15 * time.Second, readings: []reading{{"eco2", "ppm"}, {"tvoc", "ppb"}}, open: openSGP30},
	"scd4x": {group: gas, commands: true, about: "CO2, temperature and humidity SCD40, SCD41, Sensirion", address: 0x62,
		settle: 5100 * ms, interval: 5 * time.Second, timeout: time.Second,
		readings: []reading{{"co2", "ppm"}, temperature, humidity}, open: openSCD4x},
	"ens160": {group: gas, about: "equivalent CO2, volatile organic compounds and air quality, ScioSense", address: 0x53,
		others: []uint16{0x52}, identity: identity{register: "\x00", value: "\x60\x01"},
		settle: 3 * time.Minute, timeout: 1500 * ms,
		lost: resetTo(0x00, 0xff, 0x10), readings: []reading{{"eco2", "ppm"}, {"tvoc", "ppb"}, {"aqi", "1 to 5"}}, open: openENS160},
}

func openSGP30(bus *transfers, _ Config) chip {
	d := sgp30.New(bus)
	configure := func() error { return d.Configure(sgp30.Config{}) }
	return chip{configure, func(values []float64) error {
		err := d.Update(drivers.Concentration)
		values[0], values[1] = float64(d.CO2()), float64(d.TVOC())
		return err
	}}
}

var errNoNewValue = errors.New("no new value for two of the chip's own periods")

// openSCD4x reads a chip that measures every 5 s by its own clock. Between its
// values the last one holds.
func openSCD4x(bus *transfers, c Config) chip {
	d := scd4x.New(&words{transfers: bus})
	d.Address = uint8(c.Address)
	var last time.Time
	configure := func() error {
		last = time.Time{}
		if err := d.Configure(); err != nil {
			return err
		}
		return d.StartPeriodicMeasurement()
	}
	return chip{configure, func(values []float64) error {
		ready, _ := d.DataReady()
		switch {
		case ready:
			d.ReadData()
			last = time.Now()
		case time.Since(last) > 10*time.Second:
			return errNoNewValue
		}
		values[0], values[1], values[2] = float64(d.CO2()), float64(d.Temperature())/1000, float64(d.Humidity())/100
		return nil
	}}
}

// openENS160 has no value while the chip warms up: 3 minutes, and an hour the first
// time. Configuring it again would begin that anew.
func openENS160(bus *transfers, c Config) chip {
	d := ens160.New(bus, c.Address)
	return chip{d.Configure, func(values []float64) error {
		if err := d.Update(drivers.Concentration); err != nil {
			return err
		}
		if d.Validity() != ens160.ValidityNormalOperation {
			return errNoValue
		}
		values[0], values[1], values[2] = float64(d.ECO2()), float64(d.TVOC()), float64(d.AQI())
		return nil
	}}
}
