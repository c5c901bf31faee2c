package sensor

import (
	"bytes"
	"errors"
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
// errors, make plausible values of their own buffers, and wait without end for a
// chip that is not ready; so the first failure, or the end of the call's time,
// ends the call there and then: Tx does not come back to the driver.
type transfers struct {
	bus     *lazyBus
	timeout time.Duration
	begun   time.Time
	err     error
	read    int  // bytes during the call
	ones    bool // all of them were 0xff
}

// begin is the start of a call into the driver.
func (t *transfers) begin() { t.begun, t.read, t.ones = time.Now(), 0, true }

// fewestOnes is how many bytes of 0xff no chip sends: numbers that are shorter can
// be true.
const fewestOnes = 3

// allOnes says whether the chip sent nothing but ones in this call, as a line does
// that nobody pulls down.
func (t *transfers) allOnes() bool { return t.ones && t.read >= fewestOnes }

var errHangsHigh = errors.New("every byte that it sent is 0xff: its data line hangs high or it has no power, check cable and power")

// errAbandoned is what Tx panics with; call recovers it.
var errAbandoned = errors.New("call abandoned")

// Tx implements drivers.I2C. It returns only when the transfer succeeded.
func (t *transfers) Tx(addr uint16, w, r []byte) error {
	if time.Since(t.begun) > t.timeout {
		t.abandon(errStillBusy)
	}
	if err := t.bus.Tx(addr, w, r); err != nil {
		t.abandon(err)
	}
	t.read += len(r)
	for _, b := range r {
		t.ones = t.ones && b == 0xff
	}
	return nil
}

var errStillBusy = fmt.Errorf("%w: the chip is not ready, or this driver needs a longer timeout", ErrTimeout)

// abandon ends the driver's call with err.
func (t *transfers) abandon(err error) {
	t.err = err
	panic(errAbandoned)
}

// restarting is the bus of a chip that does not answer for a while after it was
// told to start anew, which its driver does not wait for.
type restarting struct {
	*transfers
	command []byte
	wait    time.Duration
}

func (b *restarting) Tx(addr uint16, w, r []byte) error {
	b.transfers.Tx(addr, w, r)
	if bytes.Equal(w, b.command) {
		time.Sleep(b.wait)
	}
	return nil
}

// i2cSensor is a chip on a bus, as its poller sees it.
type i2cSensor struct {
	config   Config
	transfer transfers
	chip     chip
	settle   time.Duration
	loss     lossWatch
}

func newI2CSensor(c Config, bus *lazyBus) *i2cSensor {
	d := c.driver()
	s := &i2cSensor{
		config:   c,
		transfer: transfers{bus: bus, timeout: c.Timeout.Std()},
		settle:   d.settle,
		loss:     lossWatch{powerLoss: d.lost},
	}
	s.chip = d.open(&s.transfer, c)
	return s
}

func (s *i2cSensor) configure() (settle time.Duration, err error) {
	defer s.recover(&err)
	s.transfer.begin()
	return s.settle, s.chip.configure()
}

func (s *i2cSensor) read(values []float64) (err error) {
	defer s.recover(&err)
	s.transfer.begin()
	err = s.chip.read(values)
	if err != nil && !errors.Is(err, errNoValue) {
		return err
	}
	if s.transfer.allOnes() {
		return errHangsHigh
	}
	if s.loss.forgot(&s.transfer, s.config.Address) {
		return errPowerLost
	}
	if err == nil && s.loss.doubts(values) {
		return errDoubtful
	}
	return err
}

func (s *i2cSensor) close() { s.transfer.bus.close() }

// recover turns an abandoned call into its error.
func (s *i2cSensor) recover(err *error) {
	r := recover()
	if r == nil {
		return
	}
	if r != any(errAbandoned) {
		panic(r)
	}
	*err = busFailure(s.config.Bus, s.transfer.err)
}

func (s *i2cSensor) String() string {
	return fmt.Sprintf("%s at %#02x on I2C bus %s", s.config.Driver, s.config.Address, s.config.Bus)
}
