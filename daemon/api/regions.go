package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/ragedge/ragedge/result"
)

// regions serves POST /v1/regions. The body is a push in JSON or safetensors;
// with ?decide=1 the daemon decides on it at once and the reply is that Result,
// otherwise the reply says what was taken.
func (s *Server) regions(w http.ResponseWriter, r *http.Request) {
	if err := s.enter(); err != nil {
		refuse(w, err)
		return
	}
	defer s.leave()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, "the query: "+err.Error())
		return
	}
	decide, err := readDecide(query)
	if err != nil {
		refuse(w, err)
		return
	}
	p, err := readPush(w, r, query)
	if err != nil {
		refuse(w, err)
		return
	}
	if decide {
		s.decide(w, p)
		return
	}
	if p.empty() {
		refuse(w, fmt.Errorf("%w: it holds neither regions nor samples", ErrInvalid))
		return
	}
	taken := struct {
		ID      string `json:"id,omitempty"`
		Rows    int    `json:"rows"`
		Samples int    `json:"samples"`
	}{p.ID, p.rows(), len(p.Samples)}
	if err := s.daemon.Push(p); err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, taken)
}

func (s *Server) decide(w http.ResponseWriter, p *Push) {
	var r result.Result
	if err := s.daemon.Decide(p, &r); err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, append(r.AppendJSON(nil), '\n'))
}

// enter waits for its turn among the pushes.
func (s *Server) enter() error {
	timeout := time.NewTimer(s.limits.pushWait)
	defer timeout.Stop()
	select {
	case s.pushing <- struct{}{}:
		return nil
	case <-timeout.C:
		return fmt.Errorf("%w: %d pushes are at work", ErrFull, s.limits.pushes)
	}
}

func (s *Server) leave() { <-s.pushing }

func readDecide(query url.Values) (bool, error) {
	v := query.Get("decide")
	if v != "0" && v != "1" && query.Has("decide") {
		return false, fmt.Errorf("%w: decide: %.32q is neither 0 nor 1", ErrInvalid, v)
	}
	return v == "1", nil
}

// readPush reads a push in the form that its header names.
func readPush(w http.ResponseWriter, r *http.Request, query url.Values) (*Push, error) {
	kind, err := bodyForm(r)
	if err != nil {
		return nil, err
	}
	known := []string{"decide"}
	if kind == typeTensors {
		known = append(known, "age", "ttl", "id")
	}
	if err := checkQuery(query, known); err != nil {
		return nil, err
	}
	body, err := readBody(w, r, maxBody, ErrInvalid)
	if err != nil {
		return nil, err
	}
	if kind == typeJSON {
		return DecodeJSON(body)
	}
	return decodeTensors(body, query)
}

// checkQuery refuses what this request does not know, or knows once only.
func checkQuery(query url.Values, known []string) error {
	n := 0
	for _, key := range known {
		if len(query[key]) > 1 {
			return fmt.Errorf("%w: query %s appears twice", ErrInvalid, key)
		}
		n += len(query[key])
	}
	if n < len(query) {
		return fmt.Errorf("%w: unknown query key (known: %v)", ErrInvalid, known)
	}
	return nil
}

// refuse answers with the code that err stands for.
func refuse(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	code := http.StatusInternalServerError
	switch {
	case errors.As(err, &tooLarge):
		code = http.StatusRequestEntityTooLarge
		err = fmt.Errorf("the body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		code = http.StatusRequestTimeout
	case errors.Is(err, errType):
		code = http.StatusUnsupportedMediaType
	case errors.Is(err, ErrUnknown):
		code = http.StatusNotFound
	case errors.Is(err, ErrInvalid), errors.Is(err, ErrRequest):
		code = http.StatusBadRequest
	case errors.Is(err, ErrMismatch):
		code = http.StatusConflict
	case errors.Is(err, ErrFull):
		code = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	case errors.Is(err, ErrNotReady):
		unavailable(w, err)
		return
	}
	fail(w, code, err.Error())
}
