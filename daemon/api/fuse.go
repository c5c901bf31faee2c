package api

import (
	"fmt"
	"net/http"

	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// fuse serves POST /v1/fuse: one run of the model on what the body holds, beside
// the daemon's own decisions and without any effect on them. The reply has the
// form of the body: the output tensors as safetensors, or by name as nested
// arrays.
func (s *Server) fuse(w http.ResponseWriter, r *http.Request) {
	var kind string
	s.runModel(w, func() (input *safetensors.File, err error) {
		input, kind, err = readRegions(w, r)
		return input, err
	}, func(output *safetensors.File) error {
		if kind == typeTensors {
			body, err := output.Bytes()
			if err == nil {
				send(w, http.StatusOK, typeTensors, body)
			}
			return err
		}
		body, err := AppendTensors(nil, output)
		if err == nil {
			reply(w, http.StatusOK, append(body, '\n'))
		}
		return err
	})
}

// runModel runs the model on what read gives, in its turn among the pushes, and lets
// answer reply.
func (s *Server) runModel(w http.ResponseWriter, read func() (*safetensors.File, error), answer func(*safetensors.File) error) {
	if err := s.enter(); err != nil {
		refuse(w, err)
		return
	}
	defer s.leave()
	input, err := read()
	if err != nil {
		refuse(w, err)
		return
	}
	output, err := s.daemon.Fuse(input)
	if err == nil {
		err = answer(output)
	}
	if err != nil {
		refuse(w, err)
	}
}

// readRegions reads a body of regions as the input of a model, and says which form
// it has.
func readRegions(w http.ResponseWriter, r *http.Request) (*safetensors.File, string, error) {
	kind, err := bodyForm(r)
	if err != nil {
		return nil, "", err
	}
	body, err := readBody(w, r, maxBody, ErrInvalid)
	if err != nil {
		return nil, "", err
	}
	if kind == typeTensors {
		f, err := safetensors.Parse(body)
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return f, kind, nil
	}
	p, err := DecodeJSON(body)
	if err != nil {
		return nil, "", err
	}
	if len(p.Samples) > 0 {
		return nil, "", fmt.Errorf("%w: samples are not fused: send regions", ErrInvalid)
	}
	f := &safetensors.File{}
	for i := range p.Regions {
		if r := &p.Regions[i]; r.Rows > 0 { // else it is absent
			f.Tensors = append(f.Tensors, safetensors.NewFloat32(r.Modality, r.Data, r.Rows, r.Features))
		}
	}
	return f, kind, nil
}

// AppendTensors appends one JSON object: every tensor by name, as nested arrays.
func AppendTensors(dst []byte, f *safetensors.File) ([]byte, error) {
	dst = append(dst, '{')
	for i := range f.Tensors {
		t := &f.Tensors[i]
		values, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = result.AppendString(dst, t.Name)
		dst = append(dst, ':')
		dst = appendArray(dst, values, t.Shape)
	}
	return append(dst, '}'), nil
}

// appendArray appends values as arrays nested as deep as shape is long.
func appendArray(dst []byte, values []float32, shape []int) []byte {
	if len(shape) == 0 {
		return result.AppendFloat(dst, values[0])
	}
	dst = append(dst, '[')
	for i := range shape[0] {
		if i > 0 {
			dst = append(dst, ',')
		}
		step := len(values) / shape[0]
		dst = appendArray(dst, values[i*step:(i+1)*step], shape[1:])
	}
	return append(dst, ']')
}
