package sensor

import (
	"errors"
	"slices"
	"time"
)

// powerLoss says how a chip that lost its power for a moment gives itself away. It
// answers as before, but is set up as it comes from the factory, and many a chip
// then reads 0 for ever.
type powerLoss struct {
	// reset is a register that has this value from when power comes on until the
	// chip is configured. It is read with every sample.
	reset identity
	// zero is for a chip without such a register that reads 0 then. A 0 that follows
	// another value counts only once the chip has been configured and reads it again;
	// while it stays, that is done anew so often.
	zero time.Duration
}

// resetTo is a register whose bits under the mask have this value after a reset.
func resetTo(value, mask byte, register ...byte) powerLoss {
	return powerLoss{reset: identity{register: string(register), value: string([]byte{value}), mask: mask}}
}

// lossWatch looks for a chip's loss of power.
type lossWatch struct {
	powerLoss
	zeros  bool      // the newest value is 0, and it was asked for twice
	asked  time.Time // when it was
	ask    [2]byte   // the register
	answer [2]byte   // its value
}

var (
	// errPowerLost makes the poller configure the chip at once.
	errPowerLost = errors.New("it lost its power for a moment and forgot its settings: it is set up again, check its supply")
	// errDoubtful makes the poller configure the chip and read it again at once. It is
	// no failure, and nobody is told.
	errDoubtful = errors.New("doubtful value")
)

// forgot asks the chip, after a reading, whether it is set up. The transfer may
// abandon the call.
func (w *lossWatch) forgot(bus *transfers, address uint16) bool {
	if len(w.reset.register) == 0 {
		return false
	}
	value := w.answer[:len(w.reset.value)]
	bus.Tx(address, append(w.ask[:0], w.reset.register...), value)
	return w.reset.equal(value)
}

// doubts says whether a reading has to be made again with the chip set up anew.
func (w *lossWatch) doubts(values []float64) bool {
	if w.zero == 0 {
		return false
	}
	if slices.ContainsFunc(values, func(v float64) bool { return v != 0 }) {
		w.zeros = false
		return false
	}
	if w.zeros && time.Since(w.asked) < w.zero {
		return false
	}
	w.zeros, w.asked = true, time.Now()
	return true
}

// equal says whether a register's bytes are those of the identity.
func (i *identity) equal(value []byte) bool {
	last := len(i.value) - 1
	mask := i.mask
	if mask == 0 {
		mask = 0xff
	}
	return string(value[:last]) == i.value[:last] && value[last]&mask == i.value[last]&mask
}
