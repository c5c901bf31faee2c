package sensor

import (
	"fmt"
	"time"
)

// Bus carries transfers to the chips of one I2C bus.
type Bus interface {
	// Tx writes w to the chip at addr and then reads r from it, as one
	// transaction; either may be empty.
	Tx(addr uint16, w, r []byte) error
	Close() error
}

// OpenBus opens a bus by the name it has in the configuration.
type OpenBus func(name string) (Bus, error)

// lazyBus opens its bus at the first transfer and again after a failure: the
// adapter may have been unplugged and be a new file now.
type lazyBus struct {
	name string
	open OpenBus
	bus  Bus // nil while closed
}

func (b *lazyBus) Tx(addr uint16, w, r []byte) error {
	if b.bus == nil {
		bus, err := b.open(b.name)
		if err != nil {
			return err
		}
		b.bus = bus
	}
	err := b.bus.Tx(addr, w, r)
	if err != nil {
		b.close()
	}
	return err
}

// close forgets the bus. An error of closing it says nothing about the next one.
func (b *lazyBus) close() {
	if b.bus != nil {
		b.bus.Close()
		b.bus = nil
	}
}

// transfers is the bus that a chip's driver sees during one call. Drivers drop
// errors, and the bh1750's then makes a plausible value of its own buffer; so
// the first error is kept, and nothing more is sent until the next call.
type transfers struct {
	bus *lazyBus
	err error
}

// Tx implements drivers.I2C.
func (t *transfers) Tx(addr uint16, w, r []byte) error {
	if t.err == nil {
		t.err = t.bus.Tx(addr, w, r)
	}
	return t.err
}

// i2cSensor is a chip on a bus, as its poller sees it.
type i2cSensor struct {
	config   Config
	transfer transfers
	chip     chip
	settle   time.Duration
}

func newI2CSensor(c Config, bus *lazyBus) *i2cSensor {
	d := table[c.Driver]
	s := &i2cSensor{
		config:   c,
		transfer: transfers{bus: bus},
		settle:   d.settle,
	}
	s.chip = d.open(&s.transfer, c.Address)
	return s
}

func (s *i2cSensor) configure() (settle time.Duration, err error) {
	s.transfer.err = nil
	return s.settle, s.failure(s.chip.configure())
}

func (s *i2cSensor) read(values []float64) error {
	s.transfer.err = nil
	return s.failure(s.chip.read(values))
}

func (s *i2cSensor) String() string {
	return fmt.Sprintf("%s at %#02x on I2C bus %s", s.config.Driver, s.config.Address, s.config.Bus)
}

// failure is what went wrong in a call that the driver says ended in err.
func (s *i2cSensor) failure(err error) error {
	if s.transfer.err != nil {
		return busFailure(s.config.Bus, s.transfer.err)
	}
	return err
}
