package sensor

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Poller reads the sensors of one bus, each at its interval, from the one
// goroutine that calls Run. What is no bus has a Poller for each sensor.
//
// A device call that hangs is not tried again and costs only that goroutine. No
// second one watches it: before each call the poller publishes when its answer
// is due, and Overdue tells whoever asks.
type Poller struct {
	bus     string // as "I2C bus 1"
	sensors []*polled
	now     func() time.Duration
	random  *rand.Rand
	due     atomic.Int64
	missed  atomic.Int64
	started chan struct{}
	waiting int // first readings that started still waits for
}

// device is a polled sensor's hardware. Its errors do not name it.
type device interface {
	// String says what it is and where, for messages.
	String() string
	// configure prepares it and says how long it needs before it can be read.
	configure() (settle time.Duration, err error)
	// read fills in values, one per reading of the driver.
	read(values []float64) error
	// close lets go of it; a configure may follow.
	close()
}

// polled is one sensor of a Poller.
type polled struct {
	index   int // of its [[sensor]] block
	config  Config
	device  device
	names   []string // of the readings
	values  []float64
	samples []encoder.Sample
	from    []int // samples[i] is values[from[i]]

	due        time.Duration // of the next call
	configured bool
	since      time.Duration // it is
	proven     bool          // the first reading has come or failed
	out        bool          // left out
	failures   int           // in a row
	deadline   atomic.Int64  // of the call under way, 0 when there is none
}

// NewPollers returns one Poller for each bus that the polled sensors of configs
// are on. The configurations have passed Check. now is the pipeline's time, above
// 0; nothing of h is touched before Run.
func NewPollers(configs []Config, now func() time.Duration, h Hardware) []*Poller {
	var pollers []*Poller
	byBus := map[string]*Poller{}
	chips := map[string]*lazyBus{}
	for i, c := range configs {
		if !slices.Contains(polledKinds, c.Type) || c.buffered() {
			continue
		}
		c = c.WithDefaults()
		name := c.busName()
		p := byBus[name]
		if p == nil {
			p = newPoller(name, i, now)
			byBus[name] = p
			pollers = append(pollers, p)
			chips[name] = &lazyBus{name: c.Bus, open: h.I2C}
		}
		p.add(i, c, h.device(c, chips[name]))
	}
	for _, p := range pollers {
		if p.waiting == 0 {
			close(p.started)
		}
	}
	return pollers
}

// busName says which Poller c's sensor belongs to: sensors that wait for each
// other share one.
func (c *Config) busName() string {
	switch c.Type {
	case I2C:
		return "I2C bus " + c.Bus
	case SPI:
		return "SPI bus " + c.Bus
	case GPIO:
		return "GPIO"
	}
	return c.Type + " " + c.Driver + " for " + c.Alias
}

// newPoller makes a Poller without sensors. The seed is that of its jitter.
func newPoller(bus string, seed int, now func() time.Duration) *Poller {
	return &Poller{
		bus:     bus,
		now:     now,
		random:  rand.New(rand.NewPCG(0, uint64(seed))),
		started: make(chan struct{}),
	}
}

func (p *Poller) add(index int, c Config, d device) {
	s := &polled{index: index, config: c, device: d}
	readings := c.readings()
	s.values = make([]float64, len(readings))
	for i, r := range readings {
		s.names = append(s.names, r.name)
		if channel := c.channel(r.name); channel != "" {
			s.samples = append(s.samples, encoder.Sample{Channel: channel})
			s.from = append(s.from, i)
		}
	}
	if s.holdsStart() {
		p.waiting++
	}
	p.sensors = append(p.sensors, s)
}

// holdsStart says whether the run counts as started only with s's first reading.
func (s *polled) holdsStart() bool {
	return s.config.StartupError == StartupFail || s.config.StartupError == StartupProbe
}

// Bus names the bus, as "I2C bus 1".
func (p *Poller) Bus() string { return p.bus }

// Sensors returns the indices of the [[sensor]] blocks on the bus.
func (p *Poller) Sensors() []int {
	indices := make([]int, len(p.sensors))
	for i, s := range p.sensors {
		indices[i] = s.index
	}
	return indices
}

// Started is closed once the first reading of every sensor whose startup_error
// is "error" or "probe" has come or failed.
func (p *Poller) Started() <-chan struct{} { return p.started }

// Overdue reports the sensor whose call has run past its timeout at now, and
// when the call began. While it lasts, no other sensor of the bus is read.
func (p *Poller) Overdue(now time.Duration) (sensor int, since time.Duration, ok bool) {
	for _, s := range p.sensors {
		if deadline := time.Duration(s.deadline.Load()); deadline != 0 && now > deadline {
			return s.index, deadline - s.config.Timeout.Std(), true
		}
	}
	return 0, 0, false
}

// Due is the moment by which the poller itself must show progress again, for the
// watchdog. It is 0, never late, during a call to a device: a device that hangs
// is masked, and a restart would not mend it.
func (p *Poller) Due() time.Duration { return time.Duration(p.due.Load()) }

// Missed counts the readings that were skipped because their time had passed: the
// bus was too slow for its intervals, or the machine slept.
func (p *Poller) Missed() int64 { return p.missed.Load() }
