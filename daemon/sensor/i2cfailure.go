package sensor

import (
	"fmt"
	"strings"
)

// busErrors says what the kernel's errors mean on an I2C bus and what to do.
// They are told apart by their text, because periph prints the error number that
// it got into a text of its own.
var busErrors = []struct {
	text      string // how the error's text ends
	unplugged bool
	advice    string // with the bus for %[1]s
}{
	{"no such file or directory", true, "there is no /dev/i2c-%[1]s: switch the bus on (on a Raspberry Pi dtparam=i2c_arm=on) and load the module i2c-dev"},
	{"no such device", true, "the adapter is gone: plug it in again"},
	{"no such device or address", true, "nothing answers: check power, cable and address with i2cdetect -y %[1]s"},
	{"remote I/O error", true, "nothing answers: check power, cable and address with i2cdetect -y %[1]s"},
	{"permission denied", false, "this user may not open /dev/i2c-%[1]s: add it to the group of that file"},
	{"operation not permitted", false, "the service may not use /dev/i2c-%[1]s: allow it with DeviceAllow= in the unit"},
	{"device or resource busy", false, "a driver of the kernel holds this address: remove its overlay or unbind it"},
	{"connection timed out", false, "a chip holds the bus: switch its power off and on"},
}

// busFailure wraps an error of the bus. What the user reads is the kernel's words
// and the advice; the error of the bus itself is there for errors.Is.
func busFailure(bus string, err error) error {
	for _, e := range busErrors {
		if !strings.HasSuffix(err.Error(), e.text) {
			continue
		}
		text := e.text + "; " + fmt.Sprintf(e.advice, bus)
		if e.unplugged {
			return &failure{text, []error{ErrUnplugged, err}}
		}
		return &failure{text, []error{err}}
	}
	return err
}

// failure is an error with a text of its own and the errors behind it.
type failure struct {
	text string
	errs []error
}

func (f *failure) Error() string   { return f.text }
func (f *failure) Unwrap() []error { return f.errs }
