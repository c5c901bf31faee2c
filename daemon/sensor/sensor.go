// Package sensor holds one file per kind of source. A sensor delivers readings;
// it never decides what becomes of them.
//
// There is no queue behind a sensor: a goroutine of this package calls deliver,
// which takes the reading in and returns at once. A Poller owns the sensors of
// one bus, a Program the command of one exec sensor, a Replay all recordings of a
// configuration; each is one goroutine, so that a device that hangs costs one
// thread and its own bus, nothing else.
package sensor

import (
	"errors"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// What can be wrong with a Reading, for errors.Is. Every other error is a
// failure that the next try may mend.
var (
	// ErrUnplugged means that the device, or the bus it hangs on, is not there.
	ErrUnplugged = errors.New("unplugged")
	// ErrNonFinite means that NaN or an infinity was measured or recorded.
	ErrNonFinite = errors.New("not a finite number")
	// ErrTimeout means that the answer came after the sensor's timeout and was
	// thrown away.
	ErrTimeout = errors.New("timed out")
	// ErrLeftOut means that the first reading failed and that startup_error says
	// to go on without the sensor. It delivers nothing more.
	ErrLeftOut = errors.New("left out")
)

// Reading is what one sensor delivered at one moment: samples, or the error
// that took their place, or neither when the device works and has nothing to say.
type Reading struct {
	// Sensor is the index of the [[sensor]] block it came from.
	Sensor int
	// At is the moment of the reading on the pipeline's timeline.
	At time.Duration
	// Samples belong to the sensor and are reused by its next reading.
	Samples []encoder.Sample
	// Push is a push in the JSON form of the API, not read yet, in place of samples;
	// only mqtt sensors deliver it.
	Push []byte
	// Err says why there are no samples. It does not name the sensor.
	Err error
	// Label is what a CSV recording says was true at At. An MCAP recording has labels
	// of its own, beside its readings.
	Label string
}
