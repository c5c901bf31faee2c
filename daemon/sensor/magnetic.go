package sensor

import (
	"errors"
	"slices"
)

const magnetism = "magnetic field"

// magneticChips are read by their registers: tinygo's driver of lis2mdl swaps the
// bytes, that of mag3110 reads before the chip has measured, and hmc5883l has none.
var magneticChips = map[string]driver{
	"lis2mdl": known(driver{group: magnetism, about: "magnetic field, ST", address: 0x1e,
		identity: identity{register: "\x4f", value: "\x40"}, lost: resetTo(0x03, 0xff, 0x60), settle: 50 * ms},
		[][]uint8{{0x60, 0x8c}, {0x62, 0x10}}, axes("µT", "field_", "xyz", little, 0x68, 0.15)...),
	"mag3110": known(driver{group: magnetism, about: "magnetic field, NXP", address: 0x0e,
		identity: identity{register: "\x07", value: "\xc4"}, lost: resetTo(0x00, 0xff, 0x10), settle: 50 * ms},
		[][]uint8{{0x11, 0x80}, {0x10, 0x01}}, axes("µT", "field_", "xyz", big, 0x01, 0.1)...),
	"hmc5883l": {group: magnetism, about: "magnetic field, Honeywell", address: 0x1e,
		identity: identity{register: "\x0a", value: "H43"}, lost: resetTo(0x01, 0x01, 0x02), settle: 50 * ms,
		readings: magnetic, open: openHMC5883L},
}

var errSaturated = errors.New("the field is too strong for the chip: move magnets and motors away")

// openHMC5883L measures 75 times a second, averages of 8, in ±1.3 gauss with 1090
// counts a gauss. Its registers are in the order x, z, y; −4096 means overflow.
func openHMC5883L(bus *transfers, c Config) chip {
	d := registerChip(bus, c.Address,
		[][]uint8{{0x00, 0x78}, {0x01, 0x20}, {0x02, 0x00}},
		axes("µT", "field_", "xzy", big, 0x03, 1))
	return chip{d.configure, func(values []float64) error {
		d.read(values)
		if slices.Contains(values, -4096) {
			return errSaturated
		}
		const microtesla = 100. / 1090
		values[0], values[1], values[2] = values[0]*microtesla, values[2]*microtesla, values[1]*microtesla
		return nil
	}}
}
