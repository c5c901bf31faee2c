package sensor

import (
	"errors"

	"tinygo.org/x/drivers"
	"tinygo.org/x/drivers/bh1750"
)

// bh1750Light is the ambient light sensor BH1750 in continuous mode of high
// resolution: 1 lx, a new value every 120 ms, 180 ms at most (data sheet, "H-
// resolution mode measurement time"), which is its settle time.
type bh1750Light struct{ device bh1750.Device }

func newBH1750(bus drivers.I2C, address uint16) chip {
	c := &bh1750Light{bh1750.New(bus)}
	c.device.Address = address
	return c
}

func (c *bh1750Light) configure() error {
	c.device.Configure()
	return nil
}

// allOnes is what the driver makes of the count 0xffff, in thousandths of a lux.
const allOnes = 250 * bh1750.HIGH_RES * 0xffff / 3

var errAllOnes = errors.New("the chip reads all ones: the light is too strong for it, or its data line hangs high")

// read gives lux. A count of all ones is no measurement: it says more than 54612
// lx, or that nobody pulled the line down.
func (c *bh1750Light) read(values []float64) error {
	millilux := c.device.Illuminance()
	if millilux == allOnes {
		return errAllOnes
	}
	values[0] = float64(millilux) / 1000
	return nil
}
