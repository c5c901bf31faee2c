package sensor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// Bounds of what a broker may send.
const (
	// maxPayload bounds a message with values, maxRegions one with regions. A longer
	// one is a failure and is not looked at.
	maxPayload = 64 << 10
	maxRegions = 1 << 20
	// maxWaiting and maxWaitingBytes bound the messages that wait to be read; the
	// newest is dropped, and counted, when they are full.
	maxWaiting      = 64
	maxWaitingBytes = 4 << 20
	// maxMessages is how many are read in a second. The rest waits, or is dropped.
	maxMessages = 1000
)

// Subscriber is the connection of mqtt sensors that share a broker and a login. A
// broker may send a message once for each subscription that it matches, so sensors
// whose topics overlap are on different ones.
//
// It connects and reconnects by itself, for as long as it takes; a connection that
// cannot be made or is lost is a failure of each of its sensors.
type Subscriber struct {
	login   mqtt.Login
	number  int // among those with this login, from 1
	broker  *mqtt.Broker
	now     func() time.Duration
	options mqtt.Options
	backoff mqtt.Backoff
	sensors []*topic
	started chan struct{}
	dropped atomic.Int64
}

// arrived is a message that waits, and when it came.
type arrived struct {
	mqtt.Message
	at time.Duration
}

// NewSubscribers returns the Subscribers of the mqtt sensors of configs, which have
// passed Check: one for each broker and login, unless topics overlap.
func NewSubscribers(configs []Config, now func() time.Duration) []*Subscriber {
	var all []*Subscriber
	for i, c := range configs {
		if c.Type != MQTT {
			continue
		}
		login, number := c.login(), 1
		at := slices.IndexFunc(all, func(s *Subscriber) bool {
			if s.login != login {
				return false
			}
			number++
			return !s.overlaps(&c)
		})
		if at < 0 {
			all = append(all, newSubscriber(login, number, now))
			at = len(all) - 1
		}
		all[at].sensors = append(all[at].sensors, &topic{index: i, config: c.WithDefaults()})
	}
	return all
}

// overlaps says whether a message might come twice if c was here as well.
func (s *Subscriber) overlaps(c *Config) bool {
	for _, t := range s.sensors {
		for _, a := range []string{t.config.Topic, t.config.Availability} {
			for _, b := range []string{c.Topic, c.Availability} {
				if a != b && a != "" && b != "" && mqtt.Overlap(a, b) {
					return true
				}
			}
		}
	}
	return false
}

func newSubscriber(login mqtt.Login, number int, now func() time.Duration) *Subscriber {
	broker, _ := mqtt.NewBroker(login) // Check has seen the url
	s := &Subscriber{
		login: login, number: number, broker: broker, now: now,
		options: mqtt.Options{
			Timeout: 15 * time.Second, Answer: 5 * time.Second, KeepAlive: 30 * time.Second,
			MaxPacket: maxRegions + maxPayload, // so that one that is too long is noticed
		},
		backoff: mqtt.Backoff{Least: time.Second, Most: MaxBackoff},
		started: make(chan struct{}),
	}
	close(s.started) // a topic may be silent for hours
	return s
}

// Name tells Subscribers apart: the broker, as whom, and which of several.
func (s *Subscriber) Name() string {
	name := "broker " + s.login.URL
	if s.login.Username != "" {
		name += " as " + s.login.Username
	}
	if s.number > 1 {
		name += ", connection " + strconv.Itoa(s.number)
	}
	return name
}

// Sensors are the indices of its [[sensor]] blocks.
func (s *Subscriber) Sensors() (indices []int) {
	for _, t := range s.sensors {
		indices = append(indices, t.index)
	}
	return indices
}

// Started is closed: nothing waits for the first reading.
func (s *Subscriber) Started() <-chan struct{} { return s.started }

// Dropped counts the messages that found no room.
func (s *Subscriber) Dropped() int64 { return s.dropped.Load() }

// Run keeps a connection until ctx ends and hands every reading and every failure
// to deliver. It always returns nil.
func (s *Subscriber) Run(ctx context.Context, deliver func(Reading)) error {
	for {
		begun := time.Now()
		_, err := contained(func() (bool, error) { return false, s.once(ctx, deliver) })
		if ctx.Err() != nil {
			return nil
		}
		for _, t := range s.sensors {
			deliver(Reading{Sensor: t.index, At: s.now(), Err: fmt.Errorf("broker %s: %w", s.broker, err)})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.backoff.After(time.Since(begun))):
		}
	}
}

// once connects and reads until the connection ends, and says why it did.
func (s *Subscriber) once(ctx context.Context, deliver func(Reading)) error {
	waiting, bytes := make(chan arrived, maxWaiting), &atomic.Int64{}
	o := s.options
	// A name of its own each time: a client that takes another's place ends it.
	o.ClientID = fmt.Sprintf("ragedge-in-%08x", rand.Uint32())
	o.Received = func(m mqtt.Message) {
		size := int64(len(m.Payload))
		if bytes.Add(size) <= maxWaitingBytes {
			select {
			case waiting <- arrived{m, s.now()}:
				return
			default:
			}
		}
		bytes.Add(-size)
		s.dropped.Add(1)
	}
	session, err := s.broker.Connect(ctx, o)
	if err != nil {
		return err
	}
	defer session.Leave()
	if err := s.subscribe(session, deliver); err != nil {
		return err
	}
	second, count := time.Now(), 0
	for {
		select {
		case m := <-waiting:
			bytes.Add(-int64(len(m.Payload)))
			for _, t := range s.sensors {
				t.read(m, deliver)
			}
		case <-session.Done():
			return session.Err()
		}
		if count++; count < maxMessages {
			continue
		}
		select {
		case <-time.After(time.Second - time.Since(second)):
		case <-session.Done():
		}
		second, count = time.Now(), 0
	}
}

// subscribe asks for every topic once. One that the broker refuses takes its sensor
// down and leaves the others alone.
func (s *Subscriber) subscribe(session *mqtt.Session, deliver func(Reading)) error {
	done := map[string]error{}
	ask := func(filter string, retained bool) error {
		err, asked := done[filter]
		if !asked && filter != "" {
			err = session.Subscribe(filter, retained)
			done[filter] = err
		}
		return err
	}
	for _, t := range s.sensors {
		err := errors.Join(ask(t.config.Availability, true), ask(t.config.Topic, false))
		if errors.Is(err, mqtt.ErrRefused) {
			deliver(Reading{Sensor: t.index, At: s.now(), Err: fmt.Errorf("%w: %w", ErrUnplugged, err)})
		} else if err != nil {
			return err
		}
	}
	return nil
}
