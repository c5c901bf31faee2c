package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// The part of the Open Inference Protocol, version 2, that needs no extension:
// tensors as JSON. https://github.com/kserve/open-inference-protocol

const modelsPath = "/v2/models/"

// inference serves the paths below /v2.
func (s *Server) inference(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/v2":
		get(w, r, s.serverMetadata)
	case path == "/v2/health/live":
		get(w, r, s.healthz)
	case path == "/v2/health/ready":
		get(w, r, s.readyz)
	case strings.HasPrefix(path, modelsPath):
		name, verb, cut := strings.Cut(path[len(modelsPath):], "/")
		if cut && verb == "" {
			noSuchPath(w)
			return
		}
		m, err := s.daemon.Model()
		if err == nil && name != m.Name {
			err = fmt.Errorf("%w: model %.64q, the one here is %q", ErrUnknown, name, m.Name)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		s.modelPath(w, r, m, verb)
	default:
		noSuchPath(w)
	}
}

func (s *Server) modelPath(w http.ResponseWriter, r *http.Request, m *Model, verb string) {
	switch verb {
	case "":
		get(w, r, func(w http.ResponseWriter, _ *http.Request) { replyJSON(w, http.StatusOK, metadata(m)) })
	case "ready":
		get(w, r, func(w http.ResponseWriter, _ *http.Request) { check(w, nil) })
	case "infer":
		post(w, r, func(w http.ResponseWriter, r *http.Request) { s.infer(w, r, m) })
	default:
		noSuchPath(w)
	}
}

func (s *Server) serverMetadata(w http.ResponseWriter, _ *http.Request) {
	replyJSON(w, http.StatusOK, struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}{"ragedge", s.daemon.Status().Version, []string{}})
}

func metadata(m *Model) any {
	return struct {
		Name     string       `json:"name"`
		Versions []string     `json:"versions"`
		Platform string       `json:"platform"`
		Inputs   []TensorInfo `json:"inputs"`
		Outputs  []TensorInfo `json:"outputs"`
	}{m.Name, []string{m.Digest}, "ragedge", m.Inputs, m.Outputs}
}

// inferRequest is the body of POST /v2/models/NAME/infer.
type inferRequest struct {
	ID      string        `json:"id"`
	Inputs  []inferTensor `json:"inputs"`
	Outputs []struct {
		Name       string         `json:"name"`
		Parameters map[string]any `json:"parameters"`
	} `json:"outputs"`
	Parameters map[string]any `json:"parameters"`
}

type inferTensor struct {
	TensorInfo
	Data       json.RawMessage `json:"data"`
	Parameters map[string]any  `json:"parameters"`
}

func (s *Server) infer(w http.ResponseWriter, r *http.Request, m *Model) {
	var request *inferRequest
	s.runModel(w, func() (input *safetensors.File, err error) {
		request, input, err = readInfer(w, r)
		return input, err
	}, func(output *safetensors.File) error {
		body, err := request.answer(m, output)
		if err == nil {
			reply(w, http.StatusOK, append(body, '\n'))
		}
		return err
	})
}

func readInfer(w http.ResponseWriter, r *http.Request) (*inferRequest, *safetensors.File, error) {
	if r.Header.Get("Inference-Header-Content-Length") != "" {
		return nil, nil, fmt.Errorf("%w: binary tensors are an extension that is not here: send data as JSON", ErrInvalid)
	}
	body, err := readBody(w, r, maxBody, ErrInvalid)
	if err != nil {
		return nil, nil, err
	}
	request := &inferRequest{}
	if err := json.Unmarshal(body, request); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(request.ID) > maxID {
		return nil, nil, fmt.Errorf("%w: id: more than %d bytes", ErrInvalid, maxID)
	}
	if len(request.Inputs) > 2*maxModalities {
		return nil, nil, fmt.Errorf("%w: more than %d inputs", ErrInvalid, 2*maxModalities)
	}
	file := &safetensors.File{}
	for i := range request.Inputs {
		t, err := request.Inputs[i].tensor()
		if err == nil && file.Tensor(t.Name) != nil {
			err = fmt.Errorf("named twice")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%w: input %.64q: %w", ErrInvalid, request.Inputs[i].Name, err)
		}
		file.Tensors = append(file.Tensors, t)
	}
	return request, file, nil
}

// tensor reads the data, flat or nested, that must be as much as the shape says.
func (t *inferTensor) tensor() (out safetensors.Tensor, err error) {
	want := 1
	for _, n := range t.Shape {
		if n < 0 || n > maxBody || want*n > maxBody {
			return out, fmt.Errorf("shape %v is not possible", t.Shape)
		}
		want *= n
	}
	flat := flatten(t.Data)
	if bytes.Contains(flat, []byte("null")) { // encoding/json would make it 0
		return out, errors.New("null is no number")
	}
	switch t.Datatype {
	case "FP32":
		values := make([]float32, 0, want)
		if err := json.Unmarshal(flat, &values); err != nil {
			return out, err
		}
		if len(values) == want {
			return safetensors.NewFloat32(t.Name, values, t.Shape...), nil
		}
		return out, fmt.Errorf("%d values, shape %v wants %d", len(values), t.Shape, want)
	case "INT64":
		values := make([]int64, 0, min(want, maxRows))
		if err := json.Unmarshal(flat, &values); err != nil {
			return out, err
		}
		if len(values) == want {
			return safetensors.NewInt64(t.Name, values, t.Shape...), nil
		}
		return out, fmt.Errorf("%d values, shape %v wants %d", len(values), t.Shape, want)
	}
	return out, fmt.Errorf("datatype %.16q: want FP32, or INT64 for lengths", t.Datatype)
}

// flatten takes the inner brackets out of nested arrays of numbers; what is not
// such stays no JSON.
func flatten(data []byte) []byte {
	inner := bytes.Map(func(r rune) rune {
		if r == '[' || r == ']' {
			return -1
		}
		return r
	}, data)
	return append(append([]byte{'['}, inner...), ']')
}

// answer writes the outputs that the request names, or all.
func (q *inferRequest) answer(m *Model, output *safetensors.File) ([]byte, error) {
	wanted := map[string]bool{}
	for _, o := range q.Outputs {
		if output.Tensor(o.Name) == nil {
			return nil, fmt.Errorf("%w: output %.64q", ErrUnknown, o.Name)
		}
		if binary, _ := o.Parameters["binary_data"].(bool); binary {
			return nil, fmt.Errorf("%w: output %.64q: binary data is an extension that is not here", ErrInvalid, o.Name)
		}
		wanted[o.Name] = true
	}
	body := append([]byte(nil), `{"model_name":`...)
	body = result.AppendString(body, m.Name)
	body = result.AppendString(append(body, `,"model_version":`...), m.Digest)
	if q.ID != "" {
		body = result.AppendString(append(body, `,"id":`...), q.ID)
	}
	body = append(body, `,"outputs":[`...)
	first := true
	for i := range output.Tensors {
		t := &output.Tensors[i]
		if len(wanted) > 0 && !wanted[t.Name] {
			continue
		}
		values, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		if !first {
			body = append(body, ',')
		}
		first = false
		body = result.AppendString(append(body, `{"name":`...), t.Name)
		body = append(body, `,"datatype":"FP32","shape":`...)
		shape, err := json.Marshal(t.Shape)
		if err != nil {
			return nil, err
		}
		body = append(append(body, shape...), `,"data":`...)
		body = appendArray(body, values, []int{len(values)})
		body = append(body, '}')
	}
	return append(body, "]}"...), nil
}
