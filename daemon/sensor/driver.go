package sensor

import (
	"strings"
	"time"

	"tinygo.org/x/drivers"
)

// chip is one sensor chip. Its methods may drop the errors of the bus, as many
// drivers do: i2cSensor keeps them.
type chip interface {
	// configure prepares the chip after power came on or a transfer failed.
	configure() error
	// read measures; values has one element per reading of the driver.
	read(values []float64) error
}

// driver describes one kind of chip.
type driver struct {
	address uint16 // unless the board sets another
	// settle is the time from configure to the first value that is measured
	// rather than left over.
	settle   time.Duration
	readings []reading
	open     func(bus drivers.I2C, address uint16) chip
}

// reading is one quantity that a chip measures.
type reading struct{ name, unit string }

// table of the chips that a configuration can name.
var table = map[string]driver{
	"bh1750": {0x23, 180 * time.Millisecond, []reading{{"lux", "lx"}}, newBH1750},
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
