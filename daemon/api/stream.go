package api

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/ragedge/ragedge/result"
)

// backlog is how many Results a stream client may fall behind before it loses
// the oldest.
const backlog = 16

// hub keeps the latest Result and hands every Result to the stream clients. An
// event is encoded once, into a ring that all clients read at their own pace;
// without clients nothing is encoded.
type hub struct {
	max int // clients

	mu      sync.Mutex
	latest  result.Result // Seq 0: none yet
	ring    [backlog][]byte
	written uint64 // events so far; event i stands in ring[i%backlog]
	clients map[*client]bool
	ended   chan struct{} // closed when no more will come
	closed  bool
}

// client is one reader of the ring.
type client struct {
	next uint64        // the event to read next
	wake chan struct{} // holds one token when there may be something to read
}

func newHub(max int) *hub {
	return &hub{max: max, clients: map[*client]bool{}, ended: make(chan struct{})}
}

// publish takes a copy of r and wakes the clients.
func (h *hub) publish(r *result.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.CopyTo(&h.latest)
	if len(h.clients) == 0 {
		return
	}
	slot := &h.ring[h.written%backlog]
	*slot = appendEvent((*slot)[:0], r)
	h.written++
	for c := range h.clients {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// appendEvent appends r as one server-sent event.
func appendEvent(dst []byte, r *result.Result) []byte {
	dst = append(dst, "id: "...)
	dst = strconv.AppendUint(dst, r.Seq, 10)
	dst = append(dst, "\ndata: "...)
	dst = r.AppendJSON(dst)
	return append(dst, "\n\n"...)
}

// appendLatest appends the latest Result in its JSON form; ok is false when
// there is none yet.
func (h *hub) appendLatest(dst []byte) (_ []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.latest.Seq == 0 {
		return dst, false
	}
	return h.latest.AppendJSON(dst), true
}

var (
	errTooManyClients = errors.New("too many stream clients")
	errClosing        = errors.New("the daemon is stopping")
)

// join lets a client in; it must leave again.
func (h *hub) join() (*client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosing
	}
	if len(h.clients) >= h.max {
		return nil, fmt.Errorf("%w: at most %d are served", errTooManyClients, h.max)
	}
	c := &client{next: h.written, wake: make(chan struct{}, 1)}
	h.clients[c] = true
	return c, nil
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// read appends the client's next event to dst, and says how many events it lost
// before that one. dst comes back as it was when there is nothing new.
func (h *hub) read(c *client, dst []byte) (_ []byte, lost uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.next == h.written {
		return dst, 0
	}
	if behind := h.written - c.next; behind > backlog {
		lost = behind - backlog
		c.next += lost
	}
	dst = append(dst, h.ring[c.next%backlog]...)
	c.next++
	return dst, lost
}

// close ends all streams; it may be called again.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.ended)
	}
}

// stream serves GET /v1/stream. Between the events stand comments: one at the
// start, one whenever nothing else was sent for a while, and one that tells a
// slow client how many events it lost. A client that takes nothing in for
// streamWrite is cut.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	c, err := s.hub.join()
	if err != nil {
		unavailable(w, err)
		return
	}
	defer s.hub.leave(c)
	out := &eventWriter{w: w, control: http.NewResponseController(w), patience: s.limits.streamWrite}
	out.send([]byte(": every Result as it is decided\n\n"))
	keepAlive := time.NewTicker(s.limits.keepAlive)
	defer keepAlive.Stop()
	var event []byte
	for ended := false; out.err == nil; {
		var lost uint64
		if event, lost = s.hub.read(c, event[:0]); lost > 0 {
			s.metrics.dropped.Add(int(lost))
			out.send(fmt.Appendf(nil, ": %d results dropped, the client is too slow\n\n", lost))
		}
		if len(event) > 0 {
			out.send(event)
			continue
		}
		if ended {
			return
		}
		select {
		case <-c.wake:
		case <-keepAlive.C:
			out.send([]byte(":\n\n"))
		case <-r.Context().Done():
			return
		case <-s.hub.ended:
			ended = true // after what was published before
		}
	}
	if errors.Is(out.err, os.ErrDeadlineExceeded) {
		s.metrics.cut.Inc()
	}
}

// eventWriter sends pieces of a stream at once, and keeps the first error.
type eventWriter struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	err      error
}

func (e *eventWriter) send(piece []byte) {
	if e.err != nil {
		return
	}
	if e.err = e.control.SetWriteDeadline(time.Now().Add(e.patience)); e.err != nil {
		return
	}
	if _, e.err = e.w.Write(piece); e.err == nil {
		e.err = e.control.Flush()
	}
}
