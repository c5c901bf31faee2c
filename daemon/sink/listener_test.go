package sink

import (
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/stretchr/testify/require"
)

// testListener lets clients in to a broker of this process, and ends only when all
// of them are gone. The broker's own listeners race with clients that come last.
type testListener struct {
	net.Listener
	secure *tls.Config // nil without TLS
	group  sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func listen(t testing.TB, secure *tls.Config) *testListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return &testListener{Listener: l, secure: secure, open: map[net.Conn]bool{}}
}

func (l *testListener) Init(*slog.Logger) error { return nil }
func (l *testListener) ID() string              { return "test" }
func (l *testListener) Address() string         { return l.Addr().String() }
func (l *testListener) Protocol() string        { return "tcp" }

func (l *testListener) Serve(establish listeners.EstablishFn) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if l.secure != nil {
			c = tls.Server(c, l.secure)
		}
		l.mu.Lock()
		if l.closed {
			c.Close()
		} else {
			l.open[c] = true
			l.group.Go(func() {
				_ = establish(l.ID(), c)
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.open, c)
			})
		}
		l.mu.Unlock()
	}
}

func (l *testListener) Close(listeners.CloseFn) {
	l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	for c := range l.open {
		c.Close()
	}
	l.mu.Unlock()
	l.group.Wait()
}
