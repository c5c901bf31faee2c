package sink

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

// MQTT publishes Results to a broker, in MQTT 5, on topics that begin with its
// base:
//
//	BASE/state   the newest Result, retained
//	BASE/late    Results that a newer one has overtaken while the broker could not
//	             be reached, in order, with the user property "late": their age in
//	             seconds
//	BASE/status  online, stopped, or offline when the board went away; retained
//
// It connects and reconnects by itself, for as long as it takes. What is offered
// meanwhile goes into a bounded backlog that keeps changes and thins out repeats.
// A Result is removed only when the broker has acknowledged it, so one may come
// twice, with the same seq, but none goes unseen.
type MQTT struct {
	config Config
	broker *mqtt.Broker
	about  Announcement
	log    *slog.Logger
	timing timing
	labels *labels // nil: nobody can choose one
	spill  *spill  // nil: what waits is in memory only; of the goroutine

	mu      sync.Mutex
	backlog *backlog
	link    link
	last    error
	closed  bool

	// One token each: there is something to do, there is room.
	work, room chan struct{}
	closing    chan struct{}      // closed by Close
	stop       context.CancelFunc // ends the goroutine at once
	done       chan struct{}      // closed when it has ended

	written, failed, late, connects, spilled atomic.Int64
}

// link is what became of the connection.
type link int

const (
	connecting link = iota // for the first time
	online
	offline
)

// timing holds the deadlines and the pace of an MQTT sink.
type timing struct {
	connect   time.Duration // to dial, shake hands and be accepted
	answer    time.Duration // to a packet
	keepAlive time.Duration // whole seconds
	backoff   mqtt.Backoff
	// birth bounds the random wait before the board announces itself to a Home
	// Assistant that has come back, as all boards do at that moment.
	birth time.Duration
}

var usualTiming = timing{
	connect:   15 * time.Second,
	answer:    WriteTimeout,
	keepAlive: 30 * time.Second,
	backoff:   mqtt.Backoff{Least: time.Second, Most: time.Minute},
	birth:     5 * time.Second,
}

// NewMQTT starts a sink of type mqtt with the configuration c, which has its
// defaults and has passed Check. It tells about what Home Assistant is to show, and
// hands what somebody chose there to label, which may be nil. It connects once begin is closed, at once when that is nil: another MQTT sink may
// have to leave its place on the broker first.
func NewMQTT(c Config, about Announcement, label Labeller, log *slog.Logger, begin <-chan struct{}) (*MQTT, error) {
	return newMQTT(c, about, label, log, usualTiming, begin)
}

func newMQTT(c Config, about Announcement, label Labeller, log *slog.Logger, t timing, begin <-chan struct{}) (*MQTT, error) {
	b, err := mqtt.NewBroker(c.login())
	if err != nil {
		return nil, err
	}
	if c.Topic == "" {
		c.Topic = "ragedge/" + about.ID
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &MQTT{
		config:  c,
		broker:  b,
		about:   about,
		log:     log.With("broker", b.String()),
		timing:  t,
		backlog: newBacklog(c.Queue),
		work:    make(chan struct{}, 1),
		room:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		stop:    stop,
		done:    make(chan struct{}),
	}
	if c.HomeAssistant && label != nil && about.selects() {
		m.labels = newLabels(label, &m.about, m.log)
	}
	m.spill = newSpill(m)
	go m.run(ctx, begin)
	return m, nil
}

// Offer takes a copy of r in and never waits. When the backlog is full a repeat
// goes, or else the oldest change.
func (m *MQTT) Offer(r *result.Result) {
	m.mu.Lock()
	m.put(r)
	m.mu.Unlock()
	signal(m.work)
}

// put takes r in, or counts it as dropped when it comes too late.
func (m *MQTT) put(r *result.Result) {
	if m.closed {
		m.backlog.dropped++
		return
	}
	m.backlog.put(r, m.link != online)
}

// OfferWait takes a copy of r in. It waits for room, as a replay can whose time is
// not real, but only while there is a broker to make some. When ctx ends first, or
// the sink is closed, r is dropped and counted, and the error says why.
func (m *MQTT) OfferWait(ctx context.Context, r *result.Result) error {
	for {
		m.mu.Lock()
		wait := m.backlog.full() && m.link != offline && !m.closed
		closed := m.closed
		if !wait {
			m.put(r)
		}
		m.mu.Unlock()
		switch {
		case closed:
			return errClosed
		case !wait:
			signal(m.work)
			return nil
		}
		select {
		case <-m.room:
		case <-m.closing:
		case <-ctx.Done():
			m.mu.Lock()
			m.backlog.dropped++
			m.mu.Unlock()
			return ctx.Err()
		}
	}
}

// Close publishes what waits, says that the board was stopped and disconnects. It
// waits for a connection that is being made, but makes no other. When ctx ends
// first it drops the rest, counts it, and returns an error.
func (m *MQTT) Close(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.closing)
	}
	m.mu.Unlock()
	select {
	case <-m.done:
	case <-ctx.Done():
		m.stop()
		select {
		case <-m.done:
		case <-time.After(time.Second): // it is stuck in a write, which has a deadline too
		}
	}
	m.stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	left := m.backlog.n
	m.backlog.n = 0
	m.backlog.dropped += int64(left)
	if left == 0 {
		return nil
	}
	return fmt.Errorf("%d waiting Results were dropped: %w", left, m.reason(ctx))
}

// reason says why Results are left: ctx has ended, or there is no broker.
func (m *MQTT) reason(ctx context.Context) error {
	if ctx.Err() != nil || m.last == nil {
		return ctx.Err()
	}
	return m.last
}

// Due is always 0: whatever the sink waits for, a broker above all, it waits for
// with a deadline of its own, and a restart would not mend it.
func (m *MQTT) Due() time.Duration { return 0 }

// Len is how many Results wait.
func (m *MQTT) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.backlog.n
}

// Written counts the Results that the broker acknowledged.
func (m *MQTT) Written() int64 { return m.written.Load() }

// Errors counts the Results that the broker refused, which are lost, and the
// connections that failed or were lost.
func (m *MQTT) Errors() int64 { return m.failed.Load() }

// Dropped counts the changes that found no room, or no broker before the end.
func (m *MQTT) Dropped() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.backlog.dropped
}

// Thinned counts the repeats that made room.
func (m *MQTT) Thinned() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.backlog.thinned
}

// Late counts the Results that were published as late.
func (m *MQTT) Late() int64 { return m.late.Load() }

// Connects counts the connections that a broker accepted.
func (m *MQTT) Connects() int64 { return m.connects.Load() }

// Connected says whether there is a connection.
func (m *MQTT) Connected() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.link == online
}

// LastError is why there is no connection, or why the broker refused the newest
// Result; nil when all is well.
func (m *MQTT) LastError() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}
