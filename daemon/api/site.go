package api

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// site is one entry of Config.Listen being served: its listeners, and the server
// that they have for themselves, so that one entry can end while others go on.
type site struct {
	entry     string
	remote    bool // other machines can reach it
	listeners []net.Listener
	http      *http.Server
}

// goodbye is how long the requests of a site that a reload took away may take.
const goodbye = 2 * time.Second

// shutdown stops listening and waits until the requests at work are answered, or
// cuts them when ctx ends.
func (t *site) shutdown(ctx context.Context) error {
	err := t.http.Shutdown(ctx)
	if err != nil {
		t.http.Close()
	}
	return err
}

func (t *site) unix() bool { return t.listeners[0].Addr().Network() == "unix" }

// Change is a configuration that a Server is ready to follow: its files are read,
// and its new places open. Either Commit or Undo ends it.
type Change struct {
	server *Server
	config Config
	access *access
	added  []*site
}

// Prepare makes the server ready for c, and changes nothing yet. The error wraps
// ErrInUse when another process serves where c says.
func (s *Server) Prepare(c Config) (*Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.Check(); err != nil {
		return nil, err
	}
	change := &Change{server: s, config: c}
	var err error
	if change.access, err = c.load(); err != nil {
		return nil, err
	}
	for _, entry := range c.Listen {
		serves := func(t *site) bool { return t.entry == entry }
		if slices.ContainsFunc(s.sites, serves) || slices.ContainsFunc(change.added, serves) {
			continue
		}
		t := &site{entry: entry}
		if t.listeners, t.remote, err = listen(entry); err != nil {
			change.Undo()
			return nil, err
		}
		change.added = append(change.added, t)
	}
	return change, nil
}

// Undo closes the new places.
func (c *Change) Undo() {
	for _, t := range c.added {
		for _, l := range t.listeners {
			l.Close()
		}
	}
}

// Commit serves at the new places, and no longer at those that the configuration
// does not name. What is being answered there may go on for a moment, the
// request that asked for this perhaps. Who may do what holds for all requests
// from now on; whether a place speaks TLS, for connections.
func (c *Change) Commit() {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access.Store(c.access)
	for _, t := range c.added {
		s.serve(t)
	}
	s.sites = slices.DeleteFunc(append(s.sites, c.added...), func(t *site) bool {
		if slices.Contains(c.config.Listen, t.entry) {
			return false
		}
		s.serving.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), goodbye)
			defer cancel()
			t.shutdown(ctx)
		})
		return true
	})
}

// serve begins to serve at t: all there is on a Unix socket, behind the guard
// elsewhere.
func (s *Server) serve(t *site) {
	t.http = s.http(s.doors(t))
	for _, l := range t.listeners {
		l = bounded{l, s.conns}
		if !t.unix() {
			l = encrypted{l, &s.access}
		}
		s.serving.Go(func() {
			if err := t.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("the API stopped listening", "address", l.Addr().String(), "error", err)
			}
		})
	}
}

// doors returns what stands between the clients of t and the paths.
func (s *Server) doors(t *site) http.HandlerFunc {
	switch {
	case t.unix():
		return s.admit
	case t.remote:
		return s.guardRemote
	}
	return s.guard
}

// Addresses returns where the server listens, for messages.
func (s *Server) Addresses() (all []net.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.sites {
		for _, l := range t.listeners {
			all = append(all, l.Addr())
		}
	}
	return all
}

// each calls stop with every site at once, and joins the errors.
func (s *Server) each(stop func(*site) error) error {
	s.mu.Lock()
	sites := slices.Clone(s.sites)
	s.mu.Unlock()
	errs := make(chan error, len(sites))
	for _, t := range sites {
		go func() { errs <- stop(t) }()
	}
	var all []error
	for range sites {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// encrypted is a listener that speaks TLS where there is a certificate.
type encrypted struct {
	net.Listener
	access *atomic.Pointer[access]
}

// Accept returns the next connection. The handshake comes with the first read,
// so that a slow client holds up nobody.
func (l encrypted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if config := l.access.Load().tls; config != nil {
		return tls.Server(c, config), nil
	}
	return c, nil
}
