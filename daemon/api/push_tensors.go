package api

import (
	"fmt"
	"net/url"

	"github.com/ragedge/ragedge/safetensors"
)

// decodeTensors reads a push in safetensors form: one F32 tensor [rows,
// features] per modality. What JSON says in keys stands in the query: age, ttl
// (seconds, or a Go duration such as 1500ms) and id.
func decodeTensors(body []byte, query url.Values) (*Push, error) {
	p, err := readTensors(body, query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

func readTensors(body []byte, query url.Values) (p *Push, err error) {
	p = &Push{}
	if query.Has("age") {
		if p.Age, err = parseSeconds(query.Get("age")); err != nil {
			return nil, in("age", err)
		}
	}
	if query.Has("ttl") {
		if p.TTL, err = parseSeconds(query.Get("ttl")); err != nil {
			return nil, in("ttl", err)
		}
	}
	if err := p.setID(query.Get("id")); err != nil {
		return nil, in("id", err)
	}
	f, err := safetensors.Parse(body)
	if err != nil {
		return nil, err
	}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		r, err := p.add(t.Name)
		if err == nil {
			err = r.fill(t)
		}
		if err != nil {
			return nil, in(fmt.Sprintf("modality %.64q", t.Name), err)
		}
	}
	return p, nil
}

// fill takes the rows of a tensor over.
func (r *Regions) fill(t *safetensors.Tensor) (err error) {
	if t.DType != safetensors.F32 || len(t.Shape) != 2 || t.Shape[1] == 0 {
		return fmt.Errorf("want an F32 tensor [rows, features], have %s %v", t.DType, t.Shape)
	}
	r.Rows, r.Features = t.Shape[0], t.Shape[1]
	if r.Rows > maxRows {
		return fmt.Errorf("%d rows, at most %d are allowed", r.Rows, maxRows)
	}
	if r.Data, err = t.Float32s(); err != nil {
		return err
	}
	for i, v := range r.Data {
		if v-v != 0 {
			return fmt.Errorf("row %d: feature %d: %v is not finite", i/r.Features, i%r.Features, v)
		}
	}
	return nil
}
