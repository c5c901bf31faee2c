package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
)

// Parameters are the weights of a model in training: float32, all of them one after the
// other in the order of the model file's table. The statistics input.M.mean and .std are
// beside them, because they are not trained.
type Parameters struct {
	Config   fusion.Config
	Features string // the feature definitions as JSON, "" for none
	Card     string // the training report as JSON, "" for none

	values  []float32
	tensors []tensor
	inputs  map[string][]float32 // input.M.mean, input.M.std
}

// tensor is where a tensor lies among the values.
type tensor struct {
	name  string
	shape []int
	first int
	size  int
}

// layOut makes room for the tensors of the table that are wanted, all 0.
func layOut(c fusion.Config, wanted func(fusion.Tensor) bool) *Parameters {
	p := &Parameters{Config: c, inputs: map[string][]float32{}}
	total := 0
	for _, t := range c.Layout().Tensors {
		if strings.HasPrefix(t.Name, "input.") || !wanted(t) {
			continue
		}
		size := 1
		for _, dim := range t.Shape {
			size *= dim
		}
		p.tensors = append(p.tensors, tensor{t.Name, t.Shape, total, size})
		total += size
	}
	p.values = make([]float32, total)
	return p
}

// Read returns the parameters of a model file held in memory, for training that goes on
// from there. Weights of lower precision become float32. Errors are of the kind
// [fusion.ErrModel].
func Read(data []byte) (*Parameters, error) {
	if _, err := fusion.Parse(data); err != nil {
		return nil, err
	}
	file, err := safetensors.Parse(data)
	if err != nil {
		return nil, err
	}
	c, weights, err := fusion.ReadWeights(file)
	if err != nil {
		return nil, err
	}
	p := layOut(c, func(t fusion.Tensor) bool { return weights[t.Name] != nil })
	p.Features, p.Card = file.Metadata["features"], file.Metadata["card"]
	for name, values := range weights {
		if strings.HasPrefix(name, "input.") {
			p.inputs[name] = values
			continue
		}
		copy(p.Tensor(name), values)
	}
	return p, nil
}

// Count returns how many weights are trained.
func (p *Parameters) Count() int { return len(p.values) }

// Tensor returns the values of a trained tensor, row-major; nil when there is none of
// that name. They are the parameters themselves and no copy.
func (p *Parameters) Tensor(name string) []float32 { return p.of(p.values, name) }

// of returns the part that belongs to a tensor in a slice laid out like the values.
func (p *Parameters) of(values []float32, name string) []float32 {
	i := slices.IndexFunc(p.tensors, func(t tensor) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	t := p.tensors[i]
	return values[t.first : t.first+t.size : t.first+t.size]
}

// clone returns a copy that shares nothing that training changes.
func (p *Parameters) clone() *Parameters {
	c := *p
	c.values = slices.Clone(p.values)
	c.inputs = make(map[string][]float32, len(p.inputs))
	for name, values := range p.inputs {
		c.inputs[name] = slices.Clone(values)
	}
	return &c
}

// Bytes returns the model file. The same parameters always give the same bytes.
func (p *Parameters) Bytes() ([]byte, error) {
	config, err := json.Marshal(p.Config)
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Metadata: map[string]string{"ragedge": "1", "config": string(config)}}
	for key, text := range map[string]string{"features": p.Features, "card": p.Card} {
		if text != "" {
			f.Metadata[key] = text
		}
	}
	for _, m := range p.Config.Modalities {
		for _, name := range []string{meanOf(m), stdOf(m)} {
			if values := p.inputs[name]; values != nil {
				f.Tensors = append(f.Tensors, safetensors.NewFloat32(name, values, len(values)))
			}
		}
	}
	for _, t := range p.tensors {
		f.Tensors = append(f.Tensors, safetensors.NewFloat32(t.name, p.values[t.first:t.first+t.size], t.shape...))
	}
	return f.Bytes()
}

// Model returns the model of these parameters as the engine loads it.
func (p *Parameters) Model() (*fusion.Model, error) {
	data, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	return fusion.Parse(data)
}

func meanOf(m fusion.Modality) string { return "input." + m.Name + ".mean" }
func stdOf(m fusion.Modality) string  { return "input." + m.Name + ".std" }

// checked returns c as ParseConfig reads it, with an error when it is no model.
func checked(c fusion.Config) (fusion.Config, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return fusion.Config{}, err
	}
	return fusion.ParseConfig(string(text))
}

// unknownOptional returns an error for a prefix that names no tensor.
func unknownOptional(c *fusion.Config, prefix string) error {
	for _, t := range c.Layout().Tensors {
		if strings.HasPrefix(t.Name, prefix) {
			return nil
		}
	}
	return fmt.Errorf("%w: optional tensors %q: a model of this config can have none of that name", ErrOption, prefix)
}

// ErrOption is wrapped by errors about an option.
var ErrOption = errors.New("bad training option")
