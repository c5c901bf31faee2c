package sensor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// MaxBackoff bounds the wait before a failed sensor is tried again.
const MaxBackoff = time.Minute

// Run reads the sensors until ctx ends and hands every reading and every failure
// to deliver, which returns at once. Run returns nil when ctx ended, and an error
// when a sensor with startup_error = "error" failed its first reading. It cannot
// return while a device call hangs: whoever stops the program does not wait for
// it longer than the sensors' timeouts.
func (p *Poller) Run(ctx context.Context, deliver func(Reading)) error {
	defer p.due.Store(0)
	defer p.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	now := p.now()
	for _, s := range p.sensors {
		s.due = now
	}
	for {
		s := p.next()
		if s == nil {
			p.due.Store(0)
			<-ctx.Done()
			return nil
		}
		now := p.now()
		p.due.Store(int64(max(now, s.due)))
		timer.Reset(s.due - now)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := p.step(s, deliver); err != nil {
			return err
		}
	}
}

func (p *Poller) close() {
	for _, s := range p.sensors {
		s.device.close()
	}
}

// next returns the sensor that is due first, nil when all are left out.
func (p *Poller) next() (first *polled) {
	for _, s := range p.sensors {
		if !s.out && (first == nil || s.due < first.due) {
			first = s
		}
	}
	return first
}

// step makes one call to a sensor's device, to configure or to read it, and
// schedules the next.
func (p *Poller) step(s *polled, deliver func(Reading)) error {
	begun := p.now()
	deadline := begun + s.config.Timeout.Std()
	s.deadline.Store(int64(deadline))
	p.due.Store(0)
	settle, err := s.call()
	ended := p.now()
	p.due.Store(int64(ended))
	s.deadline.Store(0)

	switch {
	case ended > deadline:
		return p.fail(s, ended, late(ended-begun, err), deliver)
	case errors.Is(err, errDoubtful):
		s.configured, s.due = false, ended
		return nil
	case err != nil && !errors.Is(err, errNoValue):
		return p.fail(s, ended, err, deliver)
	case !s.configured:
		s.configured, s.since = true, ended
		s.due = ended + settle
		return nil
	}
	s.failures = 0
	p.schedule(s, ended)
	if again := s.config.Reinit.Std(); again > 0 && ended-s.since >= again {
		s.configured = false
	}
	for i := range s.samples {
		s.samples[i].At = ended
		s.samples[i].Value = s.values[s.from[i]]
	}
	r := Reading{Sensor: s.index, At: ended}
	if err == nil {
		r.Samples = s.samples
	}
	deliver(r)
	p.prove(s)
	return nil
}

// late is the failure of a call that took too long, whatever it ended with.
func late(took time.Duration, err error) error {
	if err != nil {
		return fmt.Errorf("%w after %v: %w", ErrTimeout, took, err)
	}
	return fmt.Errorf("%w: answered after %v", ErrTimeout, took)
}

// call configures the device or reads it. A driver that cannot cope with what
// the bus gave it fails this one call.
func (s *polled) call() (settle time.Duration, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("driver %s panicked: %v", s.config.Driver, r)
		}
	}()
	if !s.configured {
		return s.device.configure()
	}
	if err := s.device.read(s.values); err != nil {
		return 0, err
	}
	for i, v := range s.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("%s: %w: %v", s.names[i], ErrNonFinite, v)
		}
	}
	return 0, nil
}

// schedule puts the next reading on the grid of the interval, after now. Readings
// whose time has passed are skipped, never made up for.
func (p *Poller) schedule(s *polled, now time.Duration) {
	interval := s.config.Interval.Std()
	s.due += interval
	if behind := now - s.due; behind >= 0 {
		skip := behind/interval + 1
		s.due += skip * interval
		p.missed.Add(int64(skip))
	}
}

// fail delivers a failure. The device is configured again before it is read
// again, since it may have lost its power.
func (p *Poller) fail(s *polled, at time.Duration, err error, deliver func(Reading)) error {
	err = fmt.Errorf("%v: %w", s.device, err)
	s.configured = false
	s.failures++
	s.due = at + p.backoff(s)
	if s.failures == 1 && errors.Is(err, errPowerLost) {
		s.due = at
	}
	if policy := s.config.StartupError; !s.proven && policy != StartupRetry {
		if policy == StartupFail {
			return fmt.Errorf("sensor %s: %w", s.config.Alias, err)
		}
		s.out = true
		err = fmt.Errorf("%w by startup_error = %q: %w", ErrLeftOut, policy, err)
	}
	deliver(Reading{Sensor: s.index, At: at, Err: err})
	p.prove(s)
	return nil
}

// prove notes that the first reading of s has come or failed.
func (p *Poller) prove(s *polled) {
	if s.proven {
		return
	}
	s.proven = true
	if s.holdsStart() {
		if p.waiting--; p.waiting == 0 {
			close(p.started)
		}
	}
}

// backoff is the wait after a failure: the interval after the first, twice that
// after each further one up to MaxBackoff, however long the interval, and up to a
// quarter less at random, so that sensors that failed together do not come back
// together.
func (p *Poller) backoff(s *polled) time.Duration {
	wait := min(s.config.Interval.Std(), MaxBackoff)
	for range s.failures - 1 {
		if wait *= 2; wait >= MaxBackoff {
			wait = MaxBackoff
			break
		}
	}
	return wait - time.Duration(p.random.Int64N(int64(wait/4)+1))
}
