package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Attention says where the newest answer came from: how the gate divided each
// region among the modalities, and what each region counted for. Gates of a model
// that has several are averaged.
type Attention struct {
	// Seq and Time are those of the Result.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time,omitzero"`
	// Modalities names the columns.
	Modalities []string `json:"modalities"`
	// Attention has a row per region, of which the first is the newest slice where
	// regions are slices of time. A row sums to 1.
	Attention [][]float32 `json:"attention"`
	// Region is the weight of each row.
	Region []float32 `json:"region"`
}

// attention serves GET /v1/attention.
func (s *Server) attention(w http.ResponseWriter, _ *http.Request) {
	a, err := s.daemon.Attention()
	if err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, a)
}

// hindsightTime is how long the attention of then may take, which has to be less
// than a reply may.
const hindsightTime = 15 * time.Second

// attentionThen serves GET /v1/recordings/FILE/attention?at=TIME.
func (s *Server) attentionThen(w http.ResponseWriter, r *http.Request, name string) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err == nil && (len(values) != 1 || len(values["at"]) != 1) {
		err = errors.New("want at, once: the time of a Result")
	}
	var at time.Time
	if err == nil {
		at, err = time.Parse(time.RFC3339, values.Get("at"))
	}
	if err != nil {
		refuse(w, fmt.Errorf("%w: %w", ErrRequest, err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hindsightTime)
	defer cancel()
	a, err := s.daemon.AttentionThen(ctx, name, at)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: not computed in %v", ErrFull, hindsightTime)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, a)
}
