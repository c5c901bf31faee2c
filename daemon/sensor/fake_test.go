package sensor

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeBH1750 is the chip: it measures only some time after its mode was set, and
// forgets the mode when its power goes.
type fakeBH1750 struct {
	count    uint16 // what the light makes of its register
	measures time.Time
	on       bool
}

func (c *fakeBH1750) tx(w, r []byte) {
	for _, command := range w {
		switch command {
		case 0x01:
			c.on = true
		case 0x10:
			c.measures = time.Now().Add(170 * time.Millisecond)
		}
	}
	if len(r) == 2 {
		r[0], r[1] = 0, 0
		if c.on && !c.measures.IsZero() && !time.Now().Before(c.measures) {
			r[0], r[1] = byte(c.count>>8), byte(c.count)
		}
	}
}

func (c *fakeBH1750) powerCut() { *c = fakeBH1750{count: c.count} }

// The light of every test, as the chip counts it and in lux.
const (
	fakeCount = 600
	fakeLux   = 500.
)

// fakeBus is an I2C adapter whose transfers, counted from 0 over all openings,
// can fail or hang. While a poller runs, a test touches it through change.
type fakeBus struct {
	mu    sync.Mutex
	chips map[uint16]*fakeBH1750
	// fail decides the fate of a transfer; it may take its time.
	fail func(transfer int) error
	// cannotOpen makes opening fail.
	cannotOpen error

	transfers, opened, closed int
}

func (b *fakeBus) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *fakeBus) open(string) (Bus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cannotOpen != nil {
		return nil, b.cannotOpen
	}
	b.opened++
	return b, nil
}

func (b *fakeBus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	n, fail := b.transfers, b.fail
	b.transfers++
	b.mu.Unlock()
	if fail != nil {
		if err := fail(n); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	chip := b.chips[addr]
	if chip == nil {
		return syscall.EREMOTEIO
	}
	chip.tx(w, r)
	return nil
}

func (b *fakeBus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// count is the number of transfers so far.
func (b *fakeBus) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.transfers
}

func newFakeBus() *fakeBus {
	return &fakeBus{chips: map[uint16]*fakeBH1750{0x23: {count: fakeCount}}}
}

func light(alias string) Config {
	return Config{Alias: alias, Type: I2C, Driver: "bh1750", Bus: "1", Channels: map[string]string{"lux": "light"}}
}

// log collects what a poller or a replay delivers.
type log struct {
	mu       sync.Mutex
	readings []Reading
}

func (l *log) deliver(r Reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Samples = append(r.Samples[:0:0], r.Samples...)
	l.readings = append(l.readings, r)
}

func (l *log) all() []Reading {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Reading(nil), l.readings...)
}

func (l *log) errors() (errs []error) {
	for _, r := range l.all() {
		if r.Err != nil {
			errs = append(errs, r.Err)
		}
	}
	return errs
}

func (l *log) values() (values []float64) {
	for _, r := range l.all() {
		for _, s := range r.Samples {
			values = append(values, s.Value)
		}
	}
	return values
}

// bench is a poller at work in a synctest bubble.
type bench struct {
	t      *testing.T
	poller *Poller
	log    log
	stop   context.CancelFunc
	done   chan error
	origin time.Time
	jump   atomic.Int64 // what a sleep of the machine added to the clock
}

func start(t *testing.T, bus *fakeBus, configs ...Config) *bench {
	for i := range configs {
		require.NoError(t, configs[i].Check())
	}
	b := &bench{t: t, done: make(chan error, 1), origin: time.Now().Add(-time.Second)}
	pollers := NewPollers(configs, b.now, Hardware{I2C: bus.open})
	require.Len(t, pollers, 1)
	b.poller = pollers[0]
	b.run()
	return b
}

func (b *bench) run() {
	ctx, stop := context.WithCancel(b.t.Context())
	b.stop = stop
	go func() { b.done <- b.poller.Run(ctx, b.log.deliver) }()
}

// now is the pipeline's time, which began one second before the poller.
func (b *bench) now() time.Duration { return time.Since(b.origin) + time.Duration(b.jump.Load()) }

func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// end stops the poller and returns what Run did.
func (b *bench) end() error {
	b.stop()
	return <-b.done
}
