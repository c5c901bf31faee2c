package sensor

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// errNoValue is what read returns when the device works and has nothing to say: it
// warms up, or nothing is in its range. It is no failure.
var errNoValue = errors.New("no value")

// chip is one sensor chip at work. Its functions may drop the errors of the bus,
// as many drivers do: transfers keeps them.
type chip struct {
	// configure prepares the chip after power came on or a transfer failed.
	configure func() error
	// read measures; values has one element per reading of the driver.
	read func(values []float64) error
}

// driver describes one kind of chip.
type driver struct {
	group   string // what it measures, a heading
	about   string
	address uint16 // unless the board sets another
	// others are further addresses that boards can set; fixed says that the chip
	// has no other than address, and its driver none either.
	others []uint16
	fixed  bool
	// identity is what tells the chip from others at its address.
	identity identity
	// commands is true for a chip without registers: what is sent to it is a
	// command, so a scan sends it nothing.
	commands bool
	// settle is the time from configure to the first value that is measured
	// rather than left over.
	settle time.Duration
	// lost is how to notice that the chip has lost its power between two readings,
	// though it answers again.
	lost powerLoss
	// lively is the default of frozen_after, for chips with so much noise and so many
	// digits that equal readings are never measured; 0: none.
	lively time.Duration
	// interval and timeout are the defaults; 0 is that of all chips.
	interval, timeout time.Duration
	readings          []reading
	open              func(bus *transfers, c Config) chip
}

// lively is the lively of chips whose noise is several times their last digit.
const lively = 10 * time.Minute

// identity is a register with a value that the maker fixed; the zero value when
// the chip has none.
type identity struct {
	register string // its bytes, as those of value
	value    string
	mask     byte // of the last byte; 0 is all of it
}

// reading is one quantity that a chip measures.
type reading struct{ name, unit string }

// table of the chips that a configuration can name.
var table = merge(environmentChips, lightChips, gasChips, motionChips, magneticChips, powerChips, distanceChips)

func merge(tables ...map[string]driver) map[string]driver {
	all := map[string]driver{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// Readings that several chips have.
var (
	temperature  = reading{"temperature", "°C"}
	humidity     = reading{"humidity", "%"}
	pressure     = reading{"pressure", "Pa"}
	acceleration = []reading{{"acceleration_x", "g"}, {"acceleration_y", "g"}, {"acceleration_z", "g"}}
	rotation     = []reading{{"rotation_x", "°/s"}, {"rotation_y", "°/s"}, {"rotation_z", "°/s"}}
	magnetic     = []reading{{"field_x", "µT"}, {"field_y", "µT"}, {"field_z", "µT"}}
	motion       = slices.Concat(acceleration, rotation, []reading{temperature})
)

// always is what configure returns for a driver that reports nothing.
func always(f func()) func() error {
	return func() error { f(); return nil }
}

// vector stores three components in a driver's integer unit.
func vector[T int16 | int32](values []float64, x, y, z T, unit float64) {
	values[0], values[1], values[2] = float64(x)*unit, float64(y)*unit, float64(z)*unit
}

// driver returns the description of c's chip, the zero value for an unknown one.
func (c Config) driver() driver {
	if c.Driver == Registers {
		return registersDriver(c.Registers)
	}
	return table[c.Driver]
}

func (d driver) has(name string) bool {
	for _, r := range d.readings {
		if r.name == name {
			return true
		}
	}
	return false
}

// names lists the readings with their units, as in "lux (lx)".
func (d driver) names() string {
	var names []string
	for _, r := range d.readings {
		names = append(names, r.name+" ("+r.unit+")")
	}
	return strings.Join(names, ", ")
}
