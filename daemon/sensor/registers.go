package sensor

import (
	"errors"
	"fmt"
	"time"
)

// Registers is the driver for chips that this build does not know by name.
const Registers = "registers"

// Register is one value among the registers of a chip.
type Register struct {
	// Name of the reading, and its unit for messages.
	Name string `toml:"name"`
	Unit string `toml:"unit"`
	// Register is the address of the first byte.
	Register uint8 `toml:"register"`
	// Width is the number of bytes, 1 to 4.
	Width int `toml:"width"`
	// Endian is the order of the bytes: "big", the default, or "little".
	Endian string `toml:"endian"`
	// Bits is how many of the low bits count, 0 for all.
	Bits int `toml:"bits"`
	// Signed values are in two's complement.
	Signed bool `toml:"signed"`
	// The reading is the number in the register times Scale plus Offset; a Scale
	// of 0 means 1.
	Scale  float64 `toml:"scale"`
	Offset float64 `toml:"offset"`
}

const (
	little = "little"
	big    = "big"
)

// value makes the reading of the register's bytes.
func (r *Register) value(data []byte) float64 {
	var n uint32
	for i := range data {
		if r.Endian == little {
			n = n<<8 | uint32(data[len(data)-1-i])
		} else {
			n = n<<8 | uint32(data[i])
		}
	}
	unused := 32 - r.bits()
	v := float64(n << unused >> unused)
	if r.Signed {
		v = float64(int32(n<<unused) >> unused)
	}
	scale := r.Scale
	if scale == 0 {
		scale = 1
	}
	return v*scale + r.Offset
}

func (r *Register) bits() int {
	if r.Bits == 0 {
		return 8 * r.Width
	}
	return r.Bits
}

func (r *Register) check() error {
	switch {
	case r.Name == "" || len(r.Name) > maxName:
		return fmt.Errorf("name: required, of at most %d bytes", maxName)
	case r.Width < 1 || r.Width > 4:
		return fmt.Errorf("width: %d is not in 1 to 4 bytes", r.Width)
	case r.Bits < 0 || r.Bits > 8*r.Width:
		return fmt.Errorf("bits: %d is not in 0 to %d", r.Bits, 8*r.Width)
	case r.Endian != "" && r.Endian != big && r.Endian != little:
		return fmt.Errorf(`endian: %q is not "big" or "little"`, r.Endian)
	}
	return nil
}

func checkRegisters(all []Register) error {
	if len(all) == 0 {
		return errors.New("required with this driver: what to read, as in { name = \"temperature\", register = 0x00, width = 2, signed = true, scale = 0.0078125 }")
	}
	seen := map[string]bool{}
	for i := range all {
		if err := all[i].check(); err != nil {
			return fmt.Errorf("%d: %w", i+1, err)
		}
		if seen[all[i].Name] {
			return fmt.Errorf("%d: name %s is used twice", i+1, all[i].Name)
		}
		seen[all[i].Name] = true
	}
	return nil
}

// registersDriver describes a chip by its registers.
func registersDriver(all []Register) driver {
	d := driver{open: func(bus *transfers, c Config) chip {
		return registerChip(bus, c.Address, c.Setup, c.Registers)
	}}
	for _, r := range all {
		d.readings = append(d.readings, reading{r.Name, r.Unit})
	}
	return d
}

// maxSetup bounds what is written in one transfer of the setup.
const maxSetup = 32

// registerChip writes every line of setup to configure the chip, and then reads
// each register by itself.
func registerChip(bus *transfers, address uint16, setup [][]uint8, all []Register) chip {
	var pointer [1]byte
	var data [4]byte
	return chip{
		configure: func() error {
			for _, line := range setup {
				bus.Tx(address, line, nil)
			}
			return nil
		},
		read: func(values []float64) error {
			for i := range all {
				pointer[0] = all[i].Register
				bus.Tx(address, pointer[:], data[:all[i].Width])
				values[i] = all[i].value(data[:all[i].Width])
			}
			return nil
		},
	}
}

// known describes a chip that needs no more than its registers.
func known(d driver, setup [][]uint8, all ...Register) driver {
	d.readings = registersDriver(all).readings
	d.open = func(bus *transfers, c Config) chip { return registerChip(bus, c.Address, setup, all) }
	return d
}

// axes are three registers of two bytes with a sign, in the order of the chip.
func axes(unit, prefix, order, endian string, first uint8, scale float64) []Register {
	var all []Register
	for i, axis := range order {
		all = append(all, Register{
			Name: prefix + string(axis), Unit: unit, Register: first + uint8(2*i),
			Width: 2, Endian: endian, Signed: true, Scale: scale,
		})
	}
	return all
}

const ms = time.Millisecond
