package sink

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// run keeps a connection from begin until the sink is closed.
func (m *MQTT) run(ctx context.Context, begin <-chan struct{}) {
	defer close(m.done)
	if begin != nil {
		select {
		case <-begin:
		case <-m.closing:
			return
		}
	}
	var others sync.WaitGroup
	defer others.Wait()
	if m.labels != nil {
		others.Go(func() { m.labels.run(ctx, m.closing) })
	}
	p := publisher{MQTT: m}
	defer p.end()
	delay := m.timing.backoff
	logged := ""
	for {
		begun := time.Now()
		s, err := m.connect(ctx)
		if err == nil {
			m.log.Info("connected")
			logged = ""
			m.setLink(online, nil)
			m.connects.Add(1)
			err = p.serve(s)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		m.failed.Add(1)
		m.setLink(offline, err)
		wait := delay.After(time.Since(begun))
		if text := err.Error(); text != logged { // the same one every minute would fill a card
			logged = text
			m.log.Warn("no connection to the broker", "error", err, "again_in", wait.Round(time.Millisecond))
		}
		p.store(1)
		select {
		case <-time.After(wait):
		case <-m.closing:
			return
		case <-ctx.Done():
			return
		}
	}
}

// setLink notes what became of the connection, and lets an offer that waits for
// room look again.
func (m *MQTT) setLink(l link, err error) {
	m.mu.Lock()
	m.link, m.last = l, err
	m.mu.Unlock()
	signal(m.room)
}

func (m *MQTT) setLast(err error) {
	m.mu.Lock()
	m.last = err
	m.mu.Unlock()
}

// publisher moves Results from the backlog to a session. What it holds outlives
// the session that did not acknowledge it.
type publisher struct {
	*MQTT
	held    held
	holding bool
	buffer  []byte
	state   []byte // the newest payload on the topic state
}

// always never blocks a receiver.
var always = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// serve publishes what comes until the sink is closed and nothing is left, which
// is nil, or the session ends.
func (p *publisher) serve(s *session) error {
	err := p.judge(s.begin())
	if p.spill != nil {
		p.spill.off = false
	}
	var again <-chan time.Time
	for err == nil {
		var next, end <-chan struct{} = p.work, p.closing
		stored := p.waitsOnDisk()
		switch {
		case stored: // and stays there if the sink is closed
			next = always
		case p.holding || p.Len() > 0:
			next, end = always, nil
		}
		select {
		case <-next:
			if stored {
				err = p.publishStored(s)
			} else {
				err = p.publishNext(s)
			}
		case <-s.births:
			if again == nil {
				again = time.After(rand.N(p.timing.birth))
			}
		case <-p.labelled():
			err = p.judge(s.publishLabel())
		case <-again:
			again = nil
			if err = p.judge(s.announce()); err == nil && p.state != nil {
				err = p.judge(s.Publish(p.newest(p.state)))
			}
		case <-end:
			s.leave()
			return nil
		case <-s.Done():
			err = s.Err()
		}
	}
	s.Drop()
	p.held.offline = true // if it is holding one
	return err
}

// publishNext publishes the oldest Result. An error ends the session; the Result
// is kept for the next one unless the broker refused it.
func (p *publisher) publishNext(s *session) error {
	late := p.next()
	if !p.holding {
		return nil
	}
	p.held.result.Redate()
	p.buffer = p.held.result.AppendJSON(p.buffer[:0])
	msg := p.newest(p.buffer)
	if late {
		msg = p.overtaken(p.buffer, time.Since(p.held.at))
	}
	err := s.Publish(msg)
	if err != nil && !errors.Is(err, mqtt.ErrRefused) {
		return err
	}
	p.holding = false
	p.setLast(err)
	switch {
	case err != nil:
		p.failed.Add(1)
		return nil
	case late:
		p.late.Add(1)
	default:
		p.state = append(p.state[:0], p.buffer...)
	}
	p.written.Add(1)
	return nil
}

// next makes the publisher hold the oldest Result, if there is one, and says
// whether a newer one has overtaken it while the broker was away.
func (p *publisher) next() (late bool) {
	p.mu.Lock()
	if !p.holding {
		p.holding = p.backlog.take(&p.held)
	}
	late = p.held.offline && p.backlog.n > 0 || p.spill != nil && p.held.result.Seq < p.spill.shown
	p.mu.Unlock()
	signal(p.room)
	return late
}

// giveBack counts the Result that is still held among those that are dropped.
func (p *publisher) giveBack() {
	if p.holding {
		p.mu.Lock()
		p.backlog.dropped++
		p.mu.Unlock()
	}
}

// newest is a Result for whoever wants to know how things are.
func (p *publisher) newest(payload []byte) mqtt.Message {
	return mqtt.Message{Topic: p.config.Topic + "/state", Payload: payload, Retain: true}
}

// overtaken is a Result for whoever keeps a history. On a topic of its own it
// cannot make somebody act now on what was true an hour ago.
func (p *publisher) overtaken(payload []byte, age time.Duration) mqtt.Message {
	return mqtt.Message{Topic: p.config.Topic + "/late", Payload: payload, Late: strconv.FormatInt(int64(age/time.Second), 10)}
}

// judge lets a session live on whose broker only refused a message, and keeps
// that as what is wrong.
func (p *publisher) judge(err error) error {
	if errors.Is(err, mqtt.ErrRefused) {
		p.setLast(err)
		return nil
	}
	return err
}
