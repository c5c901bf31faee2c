package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Recording is one file of recorded data.
type Recording struct {
	File string `json:"file"`
	// Open says that it is still written to: it can be viewed, not fetched.
	Open bool `json:"open,omitempty"`
	// Begin and End are wall times of its oldest and newest record, left out when it
	// has none.
	Begin time.Time `json:"begin,omitzero"`
	End   time.Time `json:"end,omitzero"`
	Bytes int64     `json:"bytes"`
	// Messages and Labels are known of files that are no longer written to.
	Messages int64 `json:"messages,omitempty"`
	Labels   int64 `json:"labels,omitempty"`
}

// RecordingView says what of a recording is wanted: what lies between two wall times,
// zero for all, a line for each time of Every, 0 for as many as make a picture, and
// no more than Lines.
type RecordingView struct {
	From, To time.Time
	Every    time.Duration
	Lines    int
}

const (
	recordingsPath = "/v1/recordings/"
	maxViewLines   = 10000
	// viewTime and fetchTime bound how long one client is served from a file.
	viewTime  = 30 * time.Second
	fetchTime = 15 * time.Minute
	viewPiece = 32 << 10
)

// recordings serves GET /v1/recordings.
func (s *Server) recordings(w http.ResponseWriter, _ *http.Request) {
	all, err := s.daemon.Recordings()
	if err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, struct {
		Recordings []Recording `json:"recordings"`
	}{all})
}

// fetches says whether a request is for a whole file, which only who may change
// something gets.
func fetches(r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, recordingsPath)
	return ok && !strings.Contains(name, "/")
}

// recording serves what is below /v1/recordings/, to few at a time.
func (s *Server) recording(w http.ResponseWriter, r *http.Request) {
	name, what, more := strings.Cut(strings.TrimPrefix(r.URL.Path, recordingsPath), "/")
	var serve func(w http.ResponseWriter, r *http.Request, name string)
	switch {
	case name == "":
	case !more:
		serve = s.fetchRecording
	case what == "results":
		serve = s.viewRecording
	case what == "attention":
		serve = s.attentionThen
	}
	if serve == nil {
		noSuchPath(w)
		return
	}
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	default:
		refuse(w, fmt.Errorf("%w: %d recordings are read already", ErrFull, cap(s.reading)))
		return
	}
	serve(w, r, name)
}

// fetchRecording serves a file as it is, or the part that a Range asks for.
func (s *Server) fetchRecording(w http.ResponseWriter, r *http.Request, name string) {
	f, err := s.daemon.OpenRecording(name)
	if err != nil {
		refuse(w, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`) // a name of letters, digits and "._-"
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", info.ModTime(), &sending{
		File: f, control: http.NewResponseController(w), patience: s.limits.streamWrite, end: time.Now().Add(fetchTime),
	})
}

// sending is a file on its way to a client that has to take in each piece in time.
type sending struct {
	*os.File
	control  *http.ResponseController
	patience time.Duration
	end      time.Time
}

// Read reads the next piece, for which the client has until then.
func (s *sending) Read(b []byte) (int, error) {
	deadline := time.Now().Add(s.patience)
	if deadline.After(s.end) {
		deadline = s.end
	}
	if err := s.control.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return s.File.Read(b)
}

// viewRecording serves JSON lines of a recording. When the lines have begun, an error
// is the last of them.
func (s *Server) viewRecording(w http.ResponseWriter, r *http.Request, name string) {
	v, err := parseView(r.URL.RawQuery)
	if err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), viewTime)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	out := &eventWriter{w: w, control: http.NewResponseController(w), patience: s.limits.streamWrite}
	var piece []byte
	begun := false
	send := func() {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		out.send(piece)
		piece = piece[:0]
	}
	err = s.daemon.ViewRecording(ctx, name, v, func(line []byte) error {
		piece = append(append(piece, line...), '\n')
		if len(piece) >= viewPiece {
			send()
		}
		return out.err
	})
	switch {
	case out.err != nil:
		return
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("not read to the end in %v: ask for less time", viewTime)
	}
	if err != nil && !begun {
		refuse(w, err)
		return
	}
	if err != nil {
		line, _ := json.Marshal(failure{err.Error()}) // a text always can
		piece = append(append(piece, line...), '\n')
	}
	send()
}

func parseView(query string) (*RecordingView, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	v := &RecordingView{Lines: maxViewLines}
	for key, all := range values {
		var err error
		switch {
		case len(all) > 1:
			err = errors.New("given twice")
		case key == "from":
			v.From, err = time.Parse(time.RFC3339, all[0])
		case key == "to":
			v.To, err = time.Parse(time.RFC3339, all[0])
		case key == "every":
			if v.Every, err = time.ParseDuration(all[0]); err == nil && v.Every < 0 {
				err = errors.New("is negative")
			}
		default:
			err = errors.New("unknown: want from, to and every")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRequest, key, err)
		}
	}
	return v, nil
}
