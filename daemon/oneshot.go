package daemon

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
)

// oneShot runs a model on what a client sends, beside the decisions: with buffers
// of its own, made when the first client asks, and one client at a time.
type oneShot struct {
	mu    sync.Mutex
	state *fusion.State
}

// of returns the buffers. The lock is held.
func (o *oneShot) of(model *fusion.Model) *fusion.State {
	if o.state == nil {
		o.state = model.NewState()
	}
	return o.state
}

// mostExamples is how many examples one request may have: the replies of more
// could be larger than what the unit may hold.
const mostExamples = 256

// Fuse runs the model once: see api.Daemon.
func (d *Daemon) Fuse(input *safetensors.File) (*safetensors.File, error) {
	m := d.current.Load().mind
	if m == nil {
		return nil, fmt.Errorf("%w: %w", api.ErrNotReady, errNoModel)
	}
	for i := range input.Tensors {
		if t := &input.Tensors[i]; len(t.Shape) == 3 && t.Shape[0] > mostExamples {
			return nil, fmt.Errorf("%w: %s: %d examples, at most %d are allowed", api.ErrInvalid, t.Name, t.Shape[0], mostExamples)
		}
	}
	m.aside.mu.Lock()
	defer m.aside.mu.Unlock()
	output, err := m.aside.of(m.model).FuseFile(input)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	return output, nil
}

// Model describes the loaded model: see api.Daemon.
func (d *Daemon) Model() (*api.Model, error) {
	m := d.current.Load().mind
	if m == nil {
		return nil, fmt.Errorf("%w: %w", api.ErrNotReady, errNoModel)
	}
	config, err := json.Marshal(m.model.Config)
	if err != nil {
		return nil, err
	}
	c := &m.model.Config
	out := &api.Model{
		Name: c.Name, Digest: m.model.Digest, StateBytes: m.state.Bytes(),
		Config: config, Features: json.RawMessage(m.model.Features), Card: json.RawMessage(m.model.Card),
	}
	if !json.Valid(out.Card) { // nobody checks what a file says there
		out.Card = nil
	}
	for _, modality := range c.Modalities {
		out.Inputs = append(out.Inputs, api.TensorInfo{Name: modality.Name, Datatype: "FP32", Shape: []int{-1, modality.Features}})
	}
	add := func(name string, shape ...int) {
		out.Outputs = append(out.Outputs, api.TensorInfo{Name: name, Datatype: "FP32", Shape: shape})
	}
	add("z", -1, c.Width)
	if c.Head.Outputs > 0 {
		add("logits", c.Head.Outputs)
	}
	if c.Head.Task == fusion.Classify {
		add("probabilities", c.Head.Outputs)
	}
	add("attention", -1, len(c.Modalities), -1)
	add("region", -1, -1)
	add("share", len(c.Modalities))
	return out, nil
}
