package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
)

// route serves one request by its path, which must match exactly.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		get(w, r, s.healthz)
	case "/readyz":
		get(w, r, s.readyz)
	case "/metrics":
		get(w, r, s.writeMetrics)
	case "/openapi.json":
		get(w, r, s.document)
	case "/v1/status":
		get(w, r, s.status)
	case "/v1/result":
		get(w, r, s.latest)
	case "/v1/stream":
		get(w, r, s.stream)
	case "/v1/attention":
		get(w, r, s.attention)
	case "/v1/recordings":
		get(w, r, s.recordings)
	case "/":
		get(w, r, s.page)
	case "/v1/regions":
		if r.Method != http.MethodPost {
			wrongMethod(w, http.MethodPost)
			return
		}
		s.regions(w, r)
	case "/v1/reload":
		if r.Method != http.MethodPost {
			wrongMethod(w, http.MethodPost)
			return
		}
		s.reload(w)
	case "/v1/model":
		get(w, r, s.model)
	case "/v1/sensors":
		get(w, r, s.sensors)
	case "/v1/fuse":
		post(w, r, s.fuse)
	case "/v1/label":
		post(w, r, s.label)
	case "/v1/record":
		post(w, r, s.record)
	default:
		if r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/") {
			s.inference(w, r)
			return
		}
		switch {
		case strings.HasPrefix(r.URL.Path, recordingsPath):
			get(w, r, s.recording)
		case strings.HasPrefix(r.URL.Path, pagePath):
			get(w, r, s.page)
		default:
			noSuchPath(w)
		}
	}
}

func noSuchPath(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "no such path: GET /openapi.json lists those there are")
}

// get lets through what only reads.
func get(w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		wrongMethod(w, "GET, HEAD")
		return
	}
	h(w, r)
}

// post lets through what changes something.
func post(w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	if r.Method != http.MethodPost {
		wrongMethod(w, http.MethodPost)
		return
	}
	h(w, r)
}

func wrongMethod(w http.ResponseWriter, allowed string) {
	w.Header().Set("Allow", allowed)
	fail(w, http.StatusMethodNotAllowed, "this path takes "+allowed+" only")
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { check(w, s.daemon.Live()) }

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) { check(w, s.daemon.Ready()) }

// check answers 200 when err is nil and 503 with the reason otherwise.
func check(w http.ResponseWriter, err error) {
	if err != nil {
		unavailable(w, err)
		return
	}
	reply(w, http.StatusOK, []byte("{\"ok\":true}\n"))
}

// writeMetrics collects everything before it sends anything, so that a slow
// client never holds a lock of whoever writes the metrics.
func (s *Server) writeMetrics(w http.ResponseWriter, _ *http.Request) {
	var text bytes.Buffer
	s.daemon.WriteMetrics(&text)
	s.metrics.set.WritePrometheus(&text)
	send(w, http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", text.Bytes())
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	replyJSON(w, http.StatusOK, s.daemon.Status())
}

// reload answers 200 with the new status when the configuration was reloaded, and
// 422 with the reason when it was refused and the old one stays.
func (s *Server) reload(w http.ResponseWriter) {
	switch err := s.daemon.Reload(); {
	case errors.Is(err, ErrNotReady):
		unavailable(w, err)
	case err != nil:
		fail(w, http.StatusUnprocessableEntity, err.Error())
	default:
		replyJSON(w, http.StatusOK, s.daemon.Status())
	}
}

func (s *Server) latest(w http.ResponseWriter, _ *http.Request) {
	body, ok := s.hub.appendLatest(nil)
	if !ok {
		unavailable(w, errors.New("there is no Result yet"))
		return
	}
	reply(w, http.StatusOK, append(body, '\n'))
}

// contain counts every reply, and answers for a handler that panics.
func (s *Server) contain(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		markBusy(r.Context())
		out := &recorder{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				s.metrics.panics.Inc()
				s.log.Error("the API panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				if out.code != 0 {
					panic(http.ErrAbortHandler) // half a reply is out: end the connection
				}
				fail(out, http.StatusInternalServerError, "the daemon failed on this request; its log says how")
			}
			s.metrics.answered(out.code)
		}()
		h(out, r)
	})
}

// recorder remembers the status code of a reply.
type recorder struct {
	http.ResponseWriter
	code int // 0 until the reply begins
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// unavailable answers 503 with the reason.
func unavailable(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", "1")
	fail(w, http.StatusServiceUnavailable, err.Error())
}

// fail answers with {"error": reason}.
func fail(w http.ResponseWriter, code int, reason string) {
	replyJSON(w, code, failure{reason})
}

// failure is the body of a reply that is none.
type failure struct {
	Error string `json:"error"`
}

func replyJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a NaN in a status, say
		code, body = http.StatusInternalServerError, []byte(`{"error":"the reply cannot be written as JSON"}`)
	}
	reply(w, code, append(body, '\n'))
}

func reply(w http.ResponseWriter, code int, body []byte) { send(w, code, "application/json", body) }

func send(w http.ResponseWriter, code int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	w.Write(body)
}
