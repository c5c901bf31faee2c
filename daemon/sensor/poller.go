package sensor

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Poller reads the sensors of one bus, each at its interval, from the one
// goroutine that calls Run.
//
// A device call that hangs is not tried again and costs only that goroutine. No
// second one watches it: before each call the poller publishes when its answer
// is due, and Overdue tells whoever asks.
type Poller struct {
	bus     *lazyBus
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
}

// polled is one sensor of a Poller.
type polled struct {
	index   int // of its [[sensor]] block
	config  Config
	device  device
	values  []float64
	samples []encoder.Sample
	from    []int // samples[i] is values[from[i]]

	due        time.Duration // of the next call
	configured bool
	proven     bool         // the first reading has come or failed
	out        bool         // left out
	failures   int          // in a row
	deadline   atomic.Int64 // of the call under way, 0 when there is none
}

// NewPollers returns one Poller for each bus that the polled sensors of configs
// are on. The configurations have passed Check. now is the pipeline's time, above
// 0; open is called when a bus is first used and after it failed.
func NewPollers(configs []Config, now func() time.Duration, open OpenBus) []*Poller {
	var pollers []*Poller
	byBus := map[string]*Poller{}
	for i, c := range configs {
		if c.Type != I2C {
			continue
		}
		c = c.WithDefaults()
		p := byBus[c.Bus]
		if p == nil {
			p = newPoller(c.Bus, i, now, open)
			byBus[c.Bus] = p
			pollers = append(pollers, p)
		}
		p.add(i, c, newI2CSensor(c, p.bus))
	}
	for _, p := range pollers {
		if p.waiting == 0 {
			close(p.started)
		}
	}
	return pollers
}

// newPoller makes a Poller without sensors. The seed is that of its jitter.
func newPoller(bus string, seed int, now func() time.Duration, open OpenBus) *Poller {
	return &Poller{
		bus:     &lazyBus{name: bus, open: open},
		now:     now,
		random:  rand.New(rand.NewPCG(0, uint64(seed))),
		started: make(chan struct{}),
	}
}

func (p *Poller) add(index int, c Config, d device) {
	s := &polled{index: index, config: c, device: d}
	readings := table[c.Driver].readings
	s.values = make([]float64, len(readings))
	for i, r := range readings {
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
func (p *Poller) Bus() string { return "I2C bus " + p.bus.name }

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
