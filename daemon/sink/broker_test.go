package sink

import (
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

// testBroker is a broker in this process. It keeps every message that it got.
type testBroker struct {
	*mochi.Server
	address string

	mu  sync.Mutex
	all []delivery
}

// delivery is a message as a subscriber sees it.
type delivery struct {
	topic, payload string
	late           string // user property, "" without one
}

// guard lets clients in, and decides on what they may write to.
type guard struct {
	mochi.HookBase
	password string
	forbid   func(topic string) bool
}

func (g *guard) ID() string { return "guard" }

func (g *guard) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (g *guard) OnConnectAuthenticate(_ *mochi.Client, pk packets.Packet) bool {
	return g.password == "" || string(pk.Connect.Username) == "board" && string(pk.Connect.Password) == g.password
}

func (g *guard) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool {
	return g.forbid == nil || !g.forbid(topic)
}

// startBroker starts a broker on a free port; g and secure may be nil.
func startBroker(t testing.TB, g *guard, secure *tls.Config) *testBroker {
	t.Helper()
	if g == nil {
		g = &guard{}
	}
	b := &testBroker{Server: mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})}
	require.NoError(t, b.AddHook(g, nil))
	listener := listen(t, secure)
	require.NoError(t, b.AddListener(listener))
	require.NoError(t, b.Subscribe("#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		d := delivery{topic: pk.TopicName, payload: string(pk.Payload)}
		for _, p := range pk.Properties.User {
			if p.Key == "late" {
				d.late = p.Val
			}
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.all = append(b.all, d)
	}))
	require.NoError(t, b.Serve())
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	b.address = listener.Address()
	return b
}

// on returns what came on the topics of a list, in order.
func (b *testBroker) on(topics ...string) (all []delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.all {
		for _, topic := range topics {
			if d.topic == topic {
				all = append(all, d)
			}
		}
	}
	return all
}

// payloads returns what came on a topic, in order.
func (b *testBroker) payloads(topic string) (all []string) {
	for _, d := range b.on(topic) {
		all = append(all, d.payload)
	}
	return all
}

// retained returns the retained message of a topic, "" without one.
func (b *testBroker) retained(topic string) string {
	for _, pk := range b.Topics.Messages(topic) {
		return string(pk.Payload)
	}
	return ""
}

// seqs returns the sequence numbers of Results.
func seqs(t testing.TB, all []delivery) (numbers []uint64) {
	t.Helper()
	for _, d := range all {
		var r result.Result
		require.NoError(t, r.UnmarshalJSON([]byte(d.payload)))
		numbers = append(numbers, r.Seq)
	}
	return numbers
}

// proxy stands between a client and a broker, and fails as networks do.
type proxy struct {
	address string
	target  string

	mu      sync.Mutex
	mode    proxyMode
	changed chan struct{} // closed at every change of mode
	open    map[*net.TCPConn]bool
	group   sync.WaitGroup
}

type proxyMode int

const (
	pass  proxyMode = iota
	reset           // connections are reset
	stall           // connections stay, and carry nothing
)

func startProxy(t testing.TB, target string, mode proxyMode) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{address: l.Addr().String(), target: target, mode: mode, changed: make(chan struct{}), open: map[*net.TCPConn]bool{}}
	p.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.carry(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.set(reset)
		p.group.Wait()
	})
	return p
}

// set changes the mode, for open connections as well.
func (p *proxy) set(mode proxyMode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	close(p.changed)
	p.changed = make(chan struct{})
	if mode == reset {
		for c := range p.open {
			c.SetLinger(0)
			c.Close()
		}
	}
}

func (p *proxy) now() (proxyMode, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.changed
}

// register keeps c until it is closed; not while connections are reset.
func (p *proxy) register(c *net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == reset {
		c.SetLinger(0)
		c.Close()
		return false
	}
	p.open[c] = true
	return true
}

func (p *proxy) unregister(c *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	c.Close()
}

func (p *proxy) carry(client *net.TCPConn) {
	if !p.register(client) {
		return
	}
	defer p.unregister(client)
	c, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	server := c.(*net.TCPConn)
	if !p.register(server) {
		return
	}
	defer p.unregister(server)
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	both.Wait()
}

// copy carries one direction, and holds back what it read, be it the end, while it
// stalls.
func (p *proxy) copy(to, from *net.TCPConn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		for mode, changed := p.now(); mode == stall; mode, changed = p.now() {
			<-changed
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// quick is a timing for tests: it tries again at once, but is patient with a slow
// machine.
var quick = timing{
	connect:   10 * time.Second,
	answer:    5 * time.Second,
	keepAlive: 30 * time.Second,
	backoff:   mqtt.Backoff{Least: 5 * time.Millisecond, Most: 50 * time.Millisecond},
	birth:     20 * time.Millisecond,
}
