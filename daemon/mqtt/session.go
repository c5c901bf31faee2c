package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/ragedge/ragedge/daemon/secret"
)

// ErrRefused is wrapped when the broker got something and did not want it. After
// Connect there is no connection then; a Session is as good as before.
var ErrRefused = errors.New("the broker refused")

// Broker is one that can be connected to, again and again.
type Broker struct {
	login  Login
	dialer *dialer
}

// NewBroker returns the broker of a Login that has passed Check.
func NewBroker(l Login) (*Broker, error) {
	a, err := parseBroker(l.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Broker{login: l, dialer: newDialer(a, l.CAFile)}, nil
}

// String is the broker's host and port.
func (b *Broker) String() string { return b.dialer.broker.String() }

// Options of one connection.
type Options struct {
	// ClientID is who we are: of two clients with one ID a broker keeps the newer.
	ClientID string
	// Timeout bounds all it takes to be accepted, Answer the wait for the answer to
	// one packet.
	Timeout, Answer time.Duration
	// KeepAlive, in whole seconds, is how long nothing may be said.
	KeepAlive time.Duration
	// MaxPacket is the longest packet, in bytes, that the broker may send.
	MaxPacket int
	// Will is what the broker publishes when the connection is lost; nil: nothing.
	Will *Message
	// Received is called with every message, from one goroutine; nil when nothing
	// is subscribed to. The payload is the callee's.
	Received func(m Message)
}

// Message is something published.
type Message struct {
	Topic   string
	Payload []byte
	// Retain asks the broker to keep the message for who subscribes later; of a
	// received one it says that it was kept, and that its age is unknown.
	Retain bool
	// Late is the user property of that name; empty: none.
	Late string
}

// Session is one accepted connection. It begins without what an earlier one was
// subscribed to or had not delivered.
type Session struct {
	client *paho.Client
	answer time.Duration
	most   int // bytes of a packet that the broker takes
	// ctx ends with the connection, and its cause is why. The library itself lets
	// a call wait for an answer that cannot come any more.
	ctx context.Context
	end context.CancelCauseFunc
}

// Connect dials the broker and is accepted by it. The password is read anew, so that
// another one needs no restart. The Session lasts no longer than parent.
func (b *Broker) Connect(parent context.Context, o Options) (*Session, error) {
	ctx, cancel := context.WithTimeout(parent, o.Timeout)
	defer cancel()
	login, err := b.enter(&o)
	if err != nil {
		return nil, err
	}
	conn, err := b.dialer.dial(ctx)
	if err != nil {
		return nil, err
	}
	inTime := context.AfterFunc(ctx, func() { conn.Close() })
	s := &Session{answer: o.Answer}
	s.ctx, s.end = context.WithCancelCause(parent)
	s.client = paho.NewClient(paho.ClientConfig{
		Conn:              newPacketConn(conn, o.Answer, o.MaxPacket),
		PacketTimeout:     o.Timeout,
		AuthHandler:       noAuth{},
		OnPublishReceived: o.handlers(),
		OnClientError: func(err error) {
			if !errors.Is(err, net.ErrClosed) { // which follows the error that closed it
				s.end(fmt.Errorf("connection lost: %w", err))
			}
		},
		OnServerDisconnect: func(d *paho.Disconnect) { s.end(explainEnd(d.ReasonCode)) },
	})
	accepted, err := s.client.Connect(ctx, login)
	if !inTime() && (err == nil || accepted == nil) { // whatever the closed connection led to
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

func (o *Options) handlers() []func(paho.PublishReceived) (bool, error) {
	if o.Received == nil {
		return nil
	}
	return []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
		o.Received(Message{Topic: p.Packet.Topic, Payload: p.Packet.Payload, Retain: p.Packet.Retain})
		return true, nil
	}}
}

// noAuth is for a broker that says it has authenticated us by a method that we did
// not ask for: the library calls a handler then, whether there is one or not.
type noAuth struct{}

func (noAuth) Authenticate(*paho.Auth) *paho.Auth { return &paho.Auth{} }
func (noAuth) Authenticated()                     {}

// enter is the packet that asks the broker in. The session ends with the
// connection: its user knows what was not acknowledged.
func (b *Broker) enter(o *Options) (*paho.Connect, error) {
	c := &paho.Connect{
		ClientID:   o.ClientID,
		CleanStart: true,
		KeepAlive:  uint16(o.KeepAlive.Seconds()),
		Properties: &paho.ConnectProperties{
			ReceiveMaximum:     new(uint16(8)), // the library allocates for 65535 otherwise
			MaximumPacketSize:  new(uint32(o.MaxPacket)),
			RequestProblemInfo: true,
		},
	}
	if w := o.Will; w != nil {
		c.WillMessage = &paho.WillMessage{Topic: w.Topic, Payload: w.Payload, QoS: 1, Retain: w.Retain}
	}
	if b.login.Username != "" {
		c.Username, c.UsernameFlag = b.login.Username, true
	}
	if b.login.PasswordFile != "" {
		password, err := secret.Read(b.login.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password_file: %w", err)
		}
		c.Password, c.PasswordFlag = password, true
	}
	return c, nil
}

// Done is closed when the connection has ended, and Err says why.
func (s *Session) Done() <-chan struct{} { return s.ctx.Done() }

// Err is why the connection has ended; nil while it lasts.
func (s *Session) Err() error { return context.Cause(s.ctx) }

// Drop ends the connection as a lost one is, so that the broker publishes the will.
func (s *Session) Drop() {
	s.end(nil)
	_ = s.client.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectDisconnectWithWillMessage})
}

// Leave ends the connection in good order; the will is forgotten.
func (s *Session) Leave() {
	_ = s.client.Disconnect(&paho.Disconnect{ReasonCode: packets.DisconnectNormalDisconnection})
	s.end(nil)
}

// Subscribe asks for what is published on topics that match a filter, from now on:
// with QoS 0, and with what the broker has retained only if retained is true.
func (s *Session) Subscribe(filter string, retained bool) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.answer)
	defer cancel()
	o := paho.SubscribeOptions{Topic: filter, QoS: 0}
	if !retained {
		o.RetainHandling = 2
	}
	ack, err := s.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{o}})
	switch {
	case ack != nil && len(ack.Reasons) == 1 && ack.Reasons[0] >= 0x80:
		return fmt.Errorf("%w a subscription to %s: code %#x", ErrRefused, filter, ack.Reasons[0])
	case err != nil && s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case err != nil:
		return fmt.Errorf("subscribe to %s: %w", filter, err)
	}
	return nil
}

// Publish sends a message with QoS 1 and waits for the broker to acknowledge it. An
// error that does not wrap ErrRefused means that the connection is of no use any
// more.
func (s *Session) Publish(m Message) error {
	const header = 64                                                  // at most, around topic and payload
	if size := header + len(m.Topic) + len(m.Payload); size > s.most { // it would end the connection
		return fmt.Errorf("%w packets of more than %d bytes, and a message on %s has %d", ErrRefused, s.most, m.Topic, size)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.answer)
	defer cancel()
	p := &paho.Publish{QoS: 1, Retain: m.Retain, Topic: m.Topic, Payload: m.Payload}
	if m.Late != "" {
		p.Properties = &paho.PublishProperties{User: paho.UserProperties{{Key: "late", Value: m.Late}}}
	}
	answer, err := s.client.Publish(ctx, p)
	switch {
	case answer != nil && answer.ReasonCode >= 0x80:
		return fmt.Errorf("%w a message on %s: %s", ErrRefused, m.Topic, (&packets.Puback{ReasonCode: answer.ReasonCode}).Reason())
	case s.ctx.Err() != nil && err != nil:
		return context.Cause(s.ctx)
	case err != nil:
		return fmt.Errorf("publish on %s: %w", m.Topic, err)
	}
	return nil
}
