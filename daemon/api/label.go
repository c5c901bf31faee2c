package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Label says what was true from one moment to another. From is now when it is
// zero; a zero To means until the next label. Source is who says so. End, with no
// Label, says that none holds any longer.
type Label struct {
	Label  string    `json:"label"`
	End    bool      `json:"end,omitempty"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Source string    `json:"source,omitempty"`
}

const (
	maxLabelBody = 4 << 10
	// labelWait is how long a label may take to get to the disk.
	labelWait = 10 * time.Second
)

func (l *Label) check() error {
	switch {
	case l.End && (l.Label != "" || !l.To.IsZero()):
		return errors.New("end: leave out label and to")
	case !l.End && l.Label == "" || strings.TrimSpace(l.Label) != l.Label || len(l.Label) > maxID:
		return fmt.Errorf("label: want 1 to %d bytes without space at either end", maxID)
	case len(l.Source) > maxID:
		return fmt.Errorf("source: more than %d bytes", maxID)
	case !utf8.ValidString(l.Label) || !utf8.ValidString(l.Source):
		return errors.New("not UTF-8")
	}
	return nil
}

// label serves POST /v1/label.
func (s *Server) label(w http.ResponseWriter, r *http.Request) {
	var l Label
	if err := readSmall(w, r, &l); err != nil {
		refuse(w, err)
		return
	}
	if l.Source == "" {
		l.Source = "api"
	}
	if err := l.check(); err != nil {
		refuse(w, fmt.Errorf("%w: %w", ErrRequest, err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), labelWait)
	defer cancel()
	if err := s.daemon.Label(ctx, &l); err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, l)
}

// record serves POST /v1/record, {"on": true}, {"on": false} or {"action": "flight"}.
func (s *Server) record(w http.ResponseWriter, r *http.Request) {
	var order struct {
		On     *bool  `json:"on,omitempty"`
		Action string `json:"action,omitempty"`
	}
	err := readSmall(w, r, &order)
	switch {
	case err != nil:
	case order.On == nil && order.Action == "flight":
		err = s.daemon.Flight("asked for by the API")
	case order.On == nil || order.Action != "":
		err = fmt.Errorf("%w: want {\"on\": true}, {\"on\": false} or {\"action\": \"flight\"}", ErrRequest)
	default:
		err = s.daemon.Record(*order.On)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, order)
}

// readSmall reads a small JSON body, and nothing that it does not know.
func readSmall(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := readBody(w, r, maxLabelBody, ErrRequest)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the object", ErrRequest)
	}
	return nil
}
