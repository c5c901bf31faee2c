package sensor

import (
	"fmt"
	"strings"
	"time"
)

// Line is an input line of a GPIO chip.
type Line interface {
	// Active is the level, true for high, or for low of an active-low line.
	Active() (bool, error)
	// Edges counts the changes of level since the line was opened, after
	// debouncing. It starts again at 0 after 1<<32.
	Edges() (uint32, error)
	Close() error
}

// LineRequest says which line to open and how.
type LineRequest struct {
	// Name of the line, such as GPIO17, and the label of its chip if more than
	// one has a line of this name.
	Name, Chip string
	// Bias is "pull-up", "pull-down", "none", or "" for what the board set.
	Bias      string
	ActiveLow bool
	// Debounce is how long a level must last to count; 0 is no debouncing.
	Debounce time.Duration
}

// OpenLine opens a line.
type OpenLine func(LineRequest) (Line, error)

// Words of bias.
const (
	PullUp   = "pull-up"
	PullDown = "pull-down"
	PullNone = "none"
)

// gpioReadings: edges are those since the reading before.
var gpioReadings = []reading{{"level", "bool"}, {"edges", "counts"}}

// LineChannels are the channels of the level and the edges of a GPIO line, "" for
// one that is left out.
func (c Config) LineChannels() (level, edges string) {
	return c.channel(gpioReadings[0].name), c.channel(gpioReadings[1].name)
}

// lineSensor is a GPIO line, as its poller sees it.
type lineSensor struct {
	config Config
	open   OpenLine
	line   Line // nil while closed
	edges  uint32
}

func (s *lineSensor) String() string { return "GPIO line " + s.config.Line }

func (s *lineSensor) close() {
	if s.line != nil {
		s.line.Close()
		s.line = nil
	}
}

// configure opens the line anew; edges before that are lost.
func (s *lineSensor) configure() (settle time.Duration, err error) {
	s.close()
	c := &s.config
	s.line, err = s.open(LineRequest{
		Name: c.Line, Chip: c.Bus, Bias: c.Bias, ActiveLow: c.ActiveLow, Debounce: c.Debounce.Std(),
	})
	if err != nil {
		s.line = nil
		return 0, gpioFailure(err)
	}
	s.edges = 0
	return c.Debounce.Std(), nil
}

func (s *lineSensor) read(values []float64) error {
	edges, err := s.line.Edges()
	if err != nil {
		return gpioFailure(err)
	}
	active, err := s.line.Active()
	if err != nil {
		return gpioFailure(err)
	}
	values[0] = 0
	if active {
		values[0] = 1
	}
	values[1] = float64(edges - s.edges)
	s.edges = edges
	return nil
}

func gpioFailure(err error) error {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "device or resource busy"):
		return fmt.Errorf("%w: another program or a driver of the kernel holds this line: see gpioinfo", err)
	case strings.HasSuffix(text, "permission denied"):
		return fmt.Errorf("%w: add this user to the group of /dev/gpiochip*", err)
	case strings.HasSuffix(text, "operation not permitted"):
		return fmt.Errorf("%w: allow char-gpiochip with DeviceAllow= in the unit", err)
	case strings.HasSuffix(text, "no such device"):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
