package sink

import (
	"context"
	"errors"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// birthTopic is where Home Assistant says "online" when it has started and knows
// nothing of the boards any more.
const birthTopic = "homeassistant/status"

// maxPacket is the longest packet that a broker may send. What it has to say is
// short: acknowledgements, and whether Home Assistant is online.
const maxPacket = 16 << 10

// session is one accepted connection.
type session struct {
	*MQTT
	*mqtt.Session
	births chan struct{} // a token when Home Assistant has started
}

// connect is accepted by the broker. The session lasts no longer than parent, and
// ends with the connection: the sink itself knows what was not acknowledged.
func (m *MQTT) connect(parent context.Context) (*session, error) {
	s := &session{MQTT: m, births: make(chan struct{}, 1)}
	will := m.status("offline")
	accepted, err := m.broker.Connect(parent, mqtt.Options{
		ClientID: "ragedge-" + mqtt.ShortID(m.about.ID+" "+m.config.Topic),
		Timeout:  m.timing.connect, Answer: m.timing.answer, KeepAlive: m.timing.keepAlive,
		MaxPacket: maxPacket,
		Will:      &will,
		Received: func(r mqtt.Message) {
			switch {
			case r.Topic == birthTopic && string(r.Payload) == "online":
				signal(s.births)
			case r.Topic == m.config.Topic+chooseTopic && m.labels != nil && !r.Retain:
				m.labels.choose(string(r.Payload), time.Now())
			}
		},
	})
	s.Session = accepted
	return s, err
}

// leave says that the board was stopped, and ends the connection.
func (s *session) leave() {
	if err := s.Publish(s.status("stopped")); err != nil {
		s.Drop()
		s.log.Warn("the broker was not told of the stop", "error", err)
		return
	}
	s.Leave()
}

// begin asks to be told when Home Assistant starts, and announces the board.
func (s *session) begin() error {
	if s.discoverable() {
		if err := s.optional(s.Subscribe(birthTopic, false)); err != nil {
			return err
		}
		if s.labels != nil {
			if err := s.optional(s.Subscribe(s.config.Topic+chooseTopic, false)); err != nil {
				return err
			}
		}
	}
	return s.announce()
}

// announce tells Home Assistant what there is, and everybody that the board is
// online.
func (s *session) announce() error {
	if s.discoverable() {
		payload, err := s.about.payload(s.config.Topic)
		if err != nil {
			return err
		}
		err = s.Publish(mqtt.Message{Topic: s.about.topic(), Payload: payload, Retain: true})
		if err := s.optional(err); err != nil {
			return err
		}
	}
	if s.labels != nil {
		if err := s.optional(s.publishLabel()); err != nil {
			return err
		}
	}
	return s.Publish(s.status("online"))
}

// publishLabel says what was chosen last, and has got into the recording.
func (s *session) publishLabel() error {
	return s.Publish(mqtt.Message{Topic: s.config.Topic + labelTopic, Payload: []byte(s.labels.current()), Retain: true})
}

func (s *session) discoverable() bool {
	return s.config.HomeAssistant && len(s.about.Modalities)+len(s.about.Readings) > 0
}

// optional takes a refusal for a warning: a broker that keeps Home Assistant's
// topics from the board is no reason to go without it.
func (s *session) optional(err error) error {
	if errors.Is(err, mqtt.ErrRefused) {
		s.log.Warn("not announced to Home Assistant", "error", err)
		return nil
	}
	return err
}

// status says how the board is.
func (m *MQTT) status(word string) mqtt.Message {
	return mqtt.Message{Topic: m.config.Topic + "/status", Payload: []byte(word), Retain: true}
}
