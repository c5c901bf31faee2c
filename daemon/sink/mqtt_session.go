package sink

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// birthTopic is where Home Assistant says "online" when it has started and knows
// nothing of the boards any more.
const birthTopic = "homeassistant/status"

// errRefused is wrapped when the broker got a message and did not want it; the
// connection is as good as before.
var errRefused = errors.New("the broker refused")

// session is one accepted connection.
type session struct {
	*MQTT
	client *paho.Client
	births chan struct{} // a token when Home Assistant has started
	most   int           // bytes of a packet that the broker takes
	// ctx ends with the connection, and its cause is why. The library itself lets
	// a call wait for an answer that cannot come any more.
	ctx context.Context
	end context.CancelCauseFunc
}

// connect dials the broker and is accepted by it. The session lasts no longer than
// parent.
func (m *MQTT) connect(parent context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(parent, m.timing.connect)
	defer cancel()
	login, err := m.login()
	if err != nil {
		return nil, err
	}
	conn, err := m.dialer.dial(ctx)
	if err != nil {
		return nil, err
	}
	inTime := context.AfterFunc(ctx, func() { conn.Close() })
	s := &session{MQTT: m, births: make(chan struct{}, 1)}
	s.ctx, s.end = context.WithCancelCause(parent)
	s.client = paho.NewClient(paho.ClientConfig{
		Conn:          newPacketConn(conn, m.timing.answer),
		PacketTimeout: m.timing.connect,
		AuthHandler:   noAuth{},
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){
			func(p paho.PublishReceived) (bool, error) {
				if p.Packet.Topic == birthTopic && string(p.Packet.Payload) == "online" {
					signal(s.births)
				}
				return true, nil
			},
		},
		OnClientError: func(err error) {
			if !errors.Is(err, net.ErrClosed) { // which follows the error that closed it
				s.end(fmt.Errorf("connection lost: %w", err))
			}
		},
		OnServerDisconnect: func(d *paho.Disconnect) { s.end(explainEnd(d.ReasonCode)) },
	})
	accepted, err := s.client.Connect(ctx, login)
	if !inTime() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.end(err)
		return nil, explainConnect(accepted, err)
	}
	s.most = math.MaxInt32
	if p := accepted.Properties; p != nil && p.MaximumPacketSize != nil {
		s.most = int(min(*p.MaximumPacketSize, math.MaxInt32))
	}
	return s, nil
}

// noAuth is for a broker that says it has authenticated us by a method that we did
// not ask for: the library calls a handler then, whether there is one or not.
type noAuth struct{}

func (noAuth) Authenticate(*paho.Auth) *paho.Auth { return &paho.Auth{} }
func (noAuth) Authenticated()                     {}

// login is the packet that asks the broker in. The session ends with the
// connection: the sink itself knows what was not acknowledged.
func (m *MQTT) login() (*paho.Connect, error) {
	c := &paho.Connect{
		ClientID:   "ragedge-" + boardID(m.about.ID+" "+m.config.Topic),
		CleanStart: true,
		KeepAlive:  uint16(m.timing.keepAlive.Seconds()),
		Properties: &paho.ConnectProperties{
			ReceiveMaximum:     new(uint16(8)), // the library allocates for 65535 otherwise
			MaximumPacketSize:  new(uint32(maxPacket)),
			RequestProblemInfo: true,
		},
		WillMessage: &paho.WillMessage{Topic: m.statusTopic(), Payload: []byte("offline"), QoS: 1, Retain: true},
	}
	if m.config.Username != "" {
		c.Username, c.UsernameFlag = m.config.Username, true
	}
	if m.config.PasswordFile != "" {
		password, err := readSecret(m.config.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password_file: %w", err)
		}
		c.Password, c.PasswordFlag = password, true
	}
	return c, nil
}

// explainConnect says why a broker did not let us in, and what to do about it.
func explainConnect(answer *paho.Connack, err error) error {
	if answer == nil || answer.ReasonCode == 0 {
		if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
			return fmt.Errorf("the broker does not answer: %w", err)
		}
		return fmt.Errorf("connect: %w; it must be a broker for MQTT 5, and an mqtts:// url if it wants TLS", err)
	}
	reason := (&packets.Connack{ReasonCode: answer.ReasonCode}).Reason()
	switch answer.ReasonCode {
	case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
		return fmt.Errorf("%w the connection: %s; check username and password_file", errRefused, reason)
	}
	return fmt.Errorf("%w the connection: %s", errRefused, reason)
}

// explainEnd says why a broker ended the connection.
func explainEnd(code byte) error {
	if code == packets.DisconnectSessionTakenOver {
		return errors.New("another client took our place on the broker: a daemon with the same topic on this board, or a board with the same machine id")
	}
	return fmt.Errorf("the broker ended the connection: %s", (&packets.Disconnect{ReasonCode: code}).Reason())
}

// drop ends the connection as a lost one is, so that the broker says "offline".
func (s *session) drop() {
	s.end(nil)
	_ = s.client.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectDisconnectWithWillMessage})
}

// leave says that the board was stopped, and ends the connection.
func (s *session) leave() {
	err := s.publish(message{topic: s.statusTopic(), payload: []byte("stopped"), retain: true})
	if err != nil {
		s.drop()
		s.log.Warn("the broker was not told of the stop", "error", err)
		return
	}
	_ = s.client.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectNormalDisconnection})
	s.end(nil)
}

// begin asks to be told when Home Assistant starts, and announces the board.
func (s *session) begin() error {
	if s.discoverable() {
		if err := s.optional(s.subscribe(birthTopic)); err != nil {
			return err
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
		err = s.publish(message{topic: s.about.topic(), payload: payload, retain: true})
		if err := s.optional(err); err != nil {
			return err
		}
	}
	return s.publish(message{topic: s.statusTopic(), payload: []byte("online"), retain: true})
}

func (s *session) discoverable() bool {
	return s.config.HomeAssistant && len(s.about.Modalities)+len(s.about.Readings) > 0
}

// optional takes a refusal for a warning: a broker that keeps Home Assistant's
// topics from the board is no reason to go without it.
func (s *session) optional(err error) error {
	if errors.Is(err, errRefused) {
		s.log.Warn("not announced to Home Assistant", "error", err)
		return nil
	}
	return err
}

// subscribe asks for what is published on a topic from now on.
func (s *session) subscribe(topic string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.timing.answer)
	defer cancel()
	const notRetained = 2
	ack, err := s.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
		{Topic: topic, QoS: 0, RetainHandling: notRetained},
	}})
	if ack != nil && len(ack.Reasons) == 1 && ack.Reasons[0] >= 0x80 {
		return fmt.Errorf("%w a subscription to %s: code %#x", errRefused, topic, ack.Reasons[0])
	}
	return err
}

// message is something to publish.
type message struct {
	topic   string
	payload []byte
	retain  bool
	late    string // the user property; empty: none
}

// publish sends a message and waits for the broker to acknowledge it. An error
// that does not wrap errRefused means that the connection is of no use any more.
func (s *session) publish(m message) error {
	const header = 64                                                  // at most, around topic and payload
	if size := header + len(m.topic) + len(m.payload); size > s.most { // it would end the connection
		return fmt.Errorf("%w packets of more than %d bytes, and a message on %s has %d", errRefused, s.most, m.topic, size)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.timing.answer)
	defer cancel()
	p := &paho.Publish{QoS: 1, Retain: m.retain, Topic: m.topic, Payload: m.payload}
	if m.late != "" {
		p.Properties = &paho.PublishProperties{User: paho.UserProperties{{Key: "late", Value: m.late}}}
	}
	answer, err := s.client.Publish(ctx, p)
	switch {
	case answer != nil && answer.ReasonCode >= 0x80:
		return fmt.Errorf("%w a message on %s: %s", errRefused, m.topic, (&packets.Puback{ReasonCode: answer.ReasonCode}).Reason())
	case s.ctx.Err() != nil && err != nil:
		return context.Cause(s.ctx)
	case err != nil:
		return fmt.Errorf("publish on %s: %w", m.topic, err)
	}
	return nil
}

func (m *MQTT) statusTopic() string { return m.config.Topic + "/status" }
