package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// conns bounds the open connections of all listeners. A connection is busy from
// the moment its request has been read until the reply is out. When there is no
// room for a new one, the connection that has been quiet for longest gives way,
// so that any number of clients that send slowly, or nothing, cannot keep an
// honest one out; when all are busy, the new one is told 503. They never take more
// than half of the file descriptors that the process may have: sensors and
// recordings need some too.
type conns struct {
	max int

	mu     sync.Mutex
	open   []*conn // those that were busy last at the end
	closed bool

	evicted, refused func()                       // count
	failed           func(err error, lasted bool) // counts, and reports what has lasted for a while
}

// conn is one accepted connection.
type conn struct {
	net.Conn
	set  *conns
	busy bool // under set.mu
}

// admit takes c in, or returns nil when there is no room for it.
func (s *conns) admit(c net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	if len(s.open) >= s.max {
		i := slices.IndexFunc(s.open, func(c *conn) bool { return !c.busy })
		if i < 0 {
			return nil
		}
		s.open[i].Conn.Close()
		s.open = slices.Delete(s.open, i, i+1)
		s.evicted()
	}
	added := &conn{Conn: c, set: s}
	s.open = append(s.open, added)
	return added
}

// remove forgets c, which may be gone already.
func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.open, c); i >= 0 {
		s.open = slices.Delete(s.open, i, i+1)
	}
}

func (s *conns) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// close closes the connections that are not busy and lets no more in.
func (s *conns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.open {
		if !c.busy {
			c.Conn.Close()
		}
	}
}

func (c *conn) setBusy(busy bool) {
	s := c.set
	s.mu.Lock()
	defer s.mu.Unlock()
	c.busy = busy
	if i := slices.Index(s.open, c); i >= 0 {
		s.open = append(slices.Delete(s.open, i, i+1), c)
	}
}

// Close closes the connection and makes room for another.
func (c *conn) Close() error {
	c.set.remove(c)
	return c.Conn.Close()
}

// CloseWrite lets net/http end a connection so that the client can still read
// the last reply.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// bounded is a listener whose connections belong to a set.
type bounded struct {
	net.Listener
	set *conns
}

const fullReply = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n" +
	"Connection: close\r\nRetry-After: 1\r\nContent-Length: 33\r\n\r\n" + `{"error":"too many connections"}` + "\n"

// Accept returns the next connection there is room for. Whatever else goes wrong
// than that the listener is closed, such as having no file descriptor left, may
// pass: it is tried again, after a wait that grows.
func (l bounded) Accept() (net.Conn, error) {
	var wait time.Duration
	for {
		c, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			wait = l.rest(wait, err)
			continue
		}
		wait = 0
		if admitted := l.set.admit(c); admitted != nil {
			return admitted, nil
		}
		l.set.refused()
		c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		io.WriteString(c, fullReply)
		c.Close()
	}
}

// The waits of a listener that fails.
const (
	leastRest = 5 * time.Millisecond
	mostRest  = time.Second
)

// rest waits twice as long as before, and returns how long that was.
func (l bounded) rest(before time.Duration, err error) time.Duration {
	wait := min(max(2*before, leastRest), mostRest)
	l.set.failed(err, wait == mostRest && before < mostRest)
	time.Sleep(wait)
	return wait
}

type connKey struct{}

// plain is the connection below TLS, if there is any.
func plain(c net.Conn) net.Conn {
	if secured, ok := c.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return c
}

// remember puts the connection where the handler finds it.
func remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, plain(c))
}

// markBusy notes that the request of this context has been read.
func markBusy(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.setBusy(true)
	}
}

// markIdle notes that the reply to the last request of c is out.
func markIdle(c net.Conn, state http.ConnState) {
	if c, ok := plain(c).(*conn); ok && state == http.StateIdle {
		c.setBusy(false)
	}
}
