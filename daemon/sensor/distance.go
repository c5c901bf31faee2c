package sensor

import (
	"errors"
	"time"

	"tinygo.org/x/drivers/amg88xx"
	"tinygo.org/x/drivers/vl53l1x"
	"tinygo.org/x/drivers/vl6180x"
)

const presence = "distance and presence"

// distanceChips see what is in front of them.
var distanceChips = map[string]driver{
	"vl53l1x": {group: presence, about: "distance up to 4 m, ST", address: 0x29,
		identity: identity{register: "\x01\x0f", value: "\xea\xcc"}, settle: 100 * ms, timeout: 400 * ms,
		readings: []reading{{"distance", "m"}}, open: openVL53L1X},
	"vl6180x": {group: presence, about: "distance up to 0.2 m, ST", address: 0x29,
		identity: identity{register: "\x00\x00", value: "\xb4"},
		lost:     resetTo(0x01, 0x01, 0x00, 0x16), readings: []reading{{"distance", "m"}}, open: openVL6180X},
	"amg88xx": {group: presence, about: "8 × 8 pixels of heat, Panasonic", address: 0x69, others: []uint16{0x68}, settle: 200 * ms, timeout: time.Second,
		readings: []reading{{"mean", "°C"}, {"min", "°C"}, {"max", "°C"}}, open: openAMG88xx},
}

var (
	errWrongChip  = errors.New("another chip answers at this address")
	errRangeFault = errors.New("the chip reports a fault of its laser")
)

// openVL53L1X measures every 50 ms. The chip holds its value until it is read, so
// the first one read is old and is dropped.
func openVL53L1X(bus *transfers, c Config) chip {
	d := vl53l1x.New(&restarting{bus, []byte{0, 0, 1}, 3 * ms})
	d.Address = c.Address
	configure := func() error {
		if !d.Configure(true) {
			return errWrongChip
		}
		d.StopContinuous()
		d.StartContinuous(50)
		return nil
	}
	return chip{configure, func(values []float64) error {
		d.Read(true)
		d.Read(true)
		switch d.Status() {
		case vl53l1x.RangeValid:
			values[0] = float64(d.Distance()) * milli
			return nil
		case vl53l1x.HardwareFail:
			return errRangeFault
		}
		return errNoValue // nothing in range
	}}
}

// vl6180xFaults is the last of the range status codes that mean a fault of the chip;
// those above it mean that nothing, or too little, came back.
const vl6180xFaults = 5

func openVL6180X(bus *transfers, c Config) chip {
	d := vl6180x.New(bus)
	d.Address = c.Address
	configure := func() error {
		if !d.Configure(true) {
			return errWrongChip
		}
		return nil
	}
	return chip{configure, func(values []float64) error {
		millimetres := d.Read()
		switch s := d.ReadStatus(); {
		case s == 0:
			values[0] = float64(millimetres) * milli
			return nil
		case s <= vl6180xFaults:
			return errRangeFault
		}
		return errNoValue // nothing in range
	}}
}

// openAMG88xx gives the mean and the extremes of the picture.
func openAMG88xx(bus *transfers, c Config) chip {
	d := amg88xx.New(bus)
	d.Address = c.Address
	var pixels [64]int32
	configure := func() error { return d.Configure(amg88xx.Config{}) }
	return chip{configure, func(values []float64) error {
		if err := d.ReadPixels(&pixels); err != nil {
			return err
		}
		sum, low, high := int32(0), pixels[0], pixels[0]
		for _, p := range pixels {
			sum, low, high = sum+p, min(low, p), max(high, p)
		}
		vector(values, sum, low, high, milli)
		values[0] /= float64(len(pixels))
		return nil
	}}
}
