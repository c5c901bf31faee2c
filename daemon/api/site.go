package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
)

// site is one entry of Config.Listen being served: its listeners, and the server
// that they have for themselves, so that one entry can end while others go on.
type site struct {
	entry     string
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

// Open serves at the places of c where it does not yet. With an error it serves
// where it did before. The error wraps ErrInUse when another process serves
// there.
func (s *Server) Open(c Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var added []*site
	for _, entry := range c.Listen {
		serves := func(t *site) bool { return t.entry == entry }
		if slices.ContainsFunc(s.sites, serves) || slices.ContainsFunc(added, serves) {
			continue
		}
		listeners, err := listen(entry)
		if err != nil {
			for _, t := range added {
				for _, l := range t.listeners {
					l.Close()
				}
			}
			return err
		}
		added = append(added, &site{entry: entry, listeners: listeners})
	}
	for _, t := range added {
		s.serve(t)
	}
	s.sites = append(s.sites, added...)
	return nil
}

// serve begins to serve at t: all there is on a Unix socket, behind the guard
// elsewhere.
func (s *Server) serve(t *site) {
	handler := s.guard
	if t.listeners[0].Addr().Network() == "unix" {
		handler = s.route
	}
	t.http = s.http(handler)
	for _, l := range t.listeners {
		s.serving.Go(func() {
			if err := t.http.Serve(bounded{l, s.conns}); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("the API stopped listening", "address", l.Addr().String(), "error", err)
			}
		})
	}
}

// Keep stops serving at the places that c does not name. What is being answered
// there may go on for a moment, the request that asked for this perhaps.
func (s *Server) Keep(c Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sites = slices.DeleteFunc(s.sites, func(t *site) bool {
		if slices.Contains(c.Listen, t.entry) {
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
