package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/result"
)

// limits bound what clients can make the server hold, and for how long.
type limits struct {
	header      time.Duration // for a request's header to arrive
	read        time.Duration // for a whole request to arrive
	write       time.Duration // for a reply to be taken in
	idle        time.Duration // between two requests of one connection
	streamWrite time.Duration // for one event of a stream to be taken in
	keepAlive   time.Duration // between the comments of a silent stream
	pushWait    time.Duration // for other pushes to be done
	headerBytes int
	connections int
	streams     int
	pushes      int // decoded at the same time; each holds some 8 MiB at worst
	recordings  int // read at the same time
}

var defaultLimits = limits{
	header:      5 * time.Second,
	read:        10 * time.Second,
	write:       20 * time.Second,
	idle:        time.Minute,
	streamWrite: 5 * time.Second,
	keepAlive:   15 * time.Second,
	pushWait:    2 * time.Second,
	headerBytes: 8 << 10,
	connections: 256,
	streams:     32,
	pushes:      4,
	recordings:  2,
}

// Server serves one Daemon. It is also the sink that Results reach it through.
type Server struct {
	daemon  Daemon
	log     *slog.Logger
	limits  limits
	hub     *hub
	conns   *conns
	metrics *counters
	pushing chan struct{} // a place per push at work
	reading chan struct{} // a place per recording that is read

	access   atomic.Pointer[access]
	failures failures

	mu      sync.Mutex
	sites   []*site
	serving sync.WaitGroup
}

// Listen opens every place that c names and serves d there until Close or
// Shutdown. The error wraps ErrInUse when another process serves already.
func Listen(c Config, d Daemon, log *slog.Logger) (*Server, error) {
	return start(c, d, log, defaultLimits)
}

func start(c Config, d Daemon, log *slog.Logger, lim limits) (*Server, error) {
	s := newServer(d, log, lim)
	change, err := s.Prepare(c)
	if err != nil {
		return nil, err
	}
	change.Commit()
	return s, nil
}

// newServer serves d nowhere yet.
func newServer(d Daemon, log *slog.Logger, lim limits) *Server {
	s := &Server{
		daemon:  d,
		log:     log,
		limits:  lim,
		hub:     newHub(lim.streams),
		conns:   &conns{max: min(lim.connections, descriptors()/2)},
		pushing: make(chan struct{}, lim.pushes),
		reading: make(chan struct{}, lim.recordings),
	}
	s.metrics = newCounters(s.conns, s.hub)
	s.conns.evicted, s.conns.refused = s.metrics.evicted.Inc, s.metrics.refused.Inc
	s.conns.failed = func(err error, lasted bool) {
		s.metrics.notAccepted.Inc()
		if lasted {
			s.log.Error("the API takes no new clients for now", "error", err)
		}
	}
	return s
}

// http returns a server with the limits in force.
func (s *Server) http(h http.HandlerFunc) *http.Server {
	return &http.Server{
		Handler:                      s.contain(h),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            s.limits.header,
		ReadTimeout:                  s.limits.read,
		WriteTimeout:                 s.limits.write,
		IdleTimeout:                  s.limits.idle,
		MaxHeaderBytes:               s.limits.headerBytes,
		ConnContext:                  remember,
		ConnState:                    markIdle,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Write makes r the latest Result and sends it to the stream clients. It never
// waits for a client and never fails.
func (s *Server) Write(r *result.Result) error {
	s.hub.publish(r)
	return nil
}

// Shutdown stops listening, ends the streams, and waits until the requests at
// work are answered or ctx ends. It may be called again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.hub.close()
	s.conns.close()
	err := s.each(func(t *site) error { return t.shutdown(ctx) })
	s.serving.Wait()
	return err
}

// Close stops at once, cutting the requests at work. It may be called again, and
// after Shutdown.
func (s *Server) Close() error {
	s.hub.close()
	s.conns.close()
	err := s.each(func(t *site) error { return t.http.Close() })
	s.serving.Wait()
	return err
}
