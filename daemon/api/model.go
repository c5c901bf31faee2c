package api

import (
	"encoding/json"
	"net/http"
)

// Model describes the loaded model, and is the body of GET /v1/model.
type Model struct {
	// Name is the model's own, Digest that of its file.
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Config, Features and Card are what the file says, the last two where it does.
	Config   json.RawMessage `json:"config"`
	Features json.RawMessage `json:"features,omitempty"`
	Card     json.RawMessage `json:"card,omitempty"`
	// StateBytes is the memory of one inference.
	StateBytes int `json:"state_bytes"`
	// Inputs and Outputs are the tensors of a run, for the Open Inference Protocol.
	Inputs  []TensorInfo `json:"-"`
	Outputs []TensorInfo `json:"-"`
}

// TensorInfo names a tensor; a dimension of -1 is for the client to choose.
type TensorInfo struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

func (s *Server) model(w http.ResponseWriter, _ *http.Request) {
	m, err := s.daemon.Model()
	if err != nil {
		refuse(w, err)
		return
	}
	replyJSON(w, http.StatusOK, m)
}

func (s *Server) sensors(w http.ResponseWriter, _ *http.Request) {
	replyJSON(w, http.StatusOK, struct {
		Sensors []SensorStatus `json:"sensors"`
	}{s.daemon.Status().Sensors})
}
