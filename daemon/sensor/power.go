package sensor

import (
	"fmt"
	"time"

	"tinygo.org/x/drivers/ina219"
	"tinygo.org/x/drivers/ina260"
	"tinygo.org/x/drivers/ina3221"
)

const power = "power"

var supply = []reading{{"voltage", "V"}, {"current", "A"}, {"power", "W"}}

// powerChips measure voltage and current. ina219 and ina3221 are read for a shunt
// of 0.1 Ω, as modules have it. ads1115 is a converter, ±4.096 V on each input.
var powerChips = map[string]driver{
	"ina219": {group: power, about: "voltage, current and power of a supply, Texas Instruments", address: 0x40,
		others: []uint16{0x41, 0x44, 0x45}, lost: powerLoss{reset: identity{register: "\x05", value: "\x00\x00"}}, settle: 10 * ms, readings: supply, open: openINA219},
	"ina260": {group: power, about: "voltage, current and power of a supply, Texas Instruments", address: 0x40,
		others: []uint16{0x41, 0x44, 0x45}, identity: identity{register: "\xff", value: "\x22\x70", mask: 0xf0},
		lost: powerLoss{reset: identity{register: "\x00", value: "\x61\x27"}}, settle: 10 * ms, readings: supply, open: openINA260},
	"ina3221": {group: power, about: "voltage and current of three supplies, Texas Instruments", address: 0x40,
		others: []uint16{0x41, 0x42, 0x43}, identity: identity{register: "\xff", value: "\x32\x20"}, settle: 20 * ms,
		readings: []reading{{"voltage1", "V"}, {"current1", "A"}, {"voltage2", "V"}, {"current2", "A"}, {"voltage3", "V"}, {"current3", "A"}},
		open:     openINA3221},
	"ads1115": {group: power, about: "four analog inputs, Texas Instruments", address: 0x48, others: []uint16{0x49, 0x4a, 0x4b},
		readings: []reading{{"a0", "V"}, {"a1", "V"}, {"a2", "V"}, {"a3", "V"}}, open: openADS1115},
}

func openINA219(bus *transfers, c Config) chip {
	d := ina219.New(bus)
	d.Address = c.Address
	return chip{d.Configure, func(values []float64) error {
		volts, _, milliamperes, milliwatts, err := d.Measurements()
		values[0], values[1], values[2] = float64(volts)*milli, float64(milliamperes)*milli, float64(milliwatts)*milli
		if volts < 0 { // the driver takes the bit of 16.384 V for a sign
			values[0] += 32.768
		}
		return err
	}}
}

func openINA260(bus *transfers, c Config) chip {
	d := ina260.New(bus)
	d.Address = c.Address
	configure := func() error {
		d.Configure(ina260.Config{
			AverageMode: ina260.AVGMODE_16, VoltConvTime: ina260.CONVTIME_140USEC,
			CurrentConvTime: ina260.CONVTIME_140USEC, Mode: ina260.MODE_CONTINUOUS | ina260.MODE_VOLTAGE | ina260.MODE_CURRENT,
		})
		return nil
	}
	return chip{configure, func(values []float64) error {
		values[0], values[1], values[2] = float64(d.Voltage())*micro, float64(d.Current())*micro, float64(d.Power())*micro
		return nil
	}}
}

func openINA3221(bus *transfers, c Config) chip {
	d := ina3221.New(bus)
	d.Address = c.Address
	configure := func() error { return d.Configure(ina3221.DefaultConfig) }
	return chip{configure, func(values []float64) error {
		for i := range 3 {
			volts, _, amperes, _, err := d.Measurements(i + 1)
			if err != nil {
				return fmt.Errorf("input %d: %w", i+1, err)
			}
			values[2*i], values[2*i+1] = float64(volts)*micro, float64(amperes)*micro
		}
		return nil
	}}
}

// openADS1115 converts one input after the other, each in 1/128 s.
func openADS1115(bus *transfers, c Config) chip {
	var data [3]byte
	return chip{always(func() {}), func(values []float64) error {
		for input := range values {
			data = [3]byte{1, 0xc3 | byte(input)<<4, 0x83} // start, this input to ground, ±4.096 V, once, 128 a second
			bus.Tx(c.Address, data[:], nil)
			for {
				time.Sleep(8 * time.Millisecond)
				if bus.Tx(c.Address, data[:1], data[1:]); data[1]&0x80 != 0 { // idle again
					break
				}
			}
			data[0] = 0
			bus.Tx(c.Address, data[:1], data[1:])
			values[input] = float64(int16(data[1])<<8|int16(data[2])) * 4.096 / 32768
		}
		return nil
	}}
}
