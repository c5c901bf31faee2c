package api

import (
	"net/http"
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
