package daemon

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// Reasons for a Result without an answer.
const (
	reasonAllAbsent    = "no modality has data"
	reasonAnchorAbsent = "the anchor modality is absent"
)

var errNoModel = errors.New("no model is loaded: set agent.model")

// mind is the loaded model and the buffers to ask it with.
type mind struct {
	model  *fusion.Model
	state  *fusion.State
	task   string
	labels []string
	aside  oneShot // for who asks in between
}

func newMind(model *fusion.Model, threads int) *mind {
	head := model.Config.Head
	m := &mind{model: model, state: model.NewState(), task: head.Task, labels: head.Labels}
	m.state.UseThreads(threads)
	if m.task == fusion.Classify && len(m.labels) == 0 {
		for i := range head.Outputs {
			m.labels = append(m.labels, strconv.Itoa(i))
		}
	}
	return m
}

// try runs the model on inputs and says what keeps it from working; that there is
// nothing to decide about does not.
func (m *mind) try(inputs []fusion.Regions) error {
	_, err := m.state.Fuse(inputs)
	if err == nil || errors.Is(err, fusion.ErrAllAbsent) || errors.Is(err, fusion.ErrAnchorAbsent) {
		return nil
	}
	return fmt.Errorf("%w: self-check of model %s: %w", ErrData, m.model.Digest, err)
}

// answer fills in what the model makes of the inputs: label, probabilities or
// values, and each modality's share. When nothing can be decided it leaves the
// reason instead.
func (m *mind) answer(inputs []fusion.Regions, r *result.Result) {
	r.Label, r.Reason = "", ""
	r.Probabilities, r.Values = r.Probabilities[:0], r.Values[:0]
	out, err := m.state.Fuse(inputs)
	switch {
	case errors.Is(err, fusion.ErrAllAbsent):
		r.Reason = reasonAllAbsent
	case errors.Is(err, fusion.ErrAnchorAbsent):
		r.Reason = reasonAnchorAbsent
	case err != nil:
		r.Reason = err.Error()
	default:
		m.fill(out, r)
	}
}

func (m *mind) fill(out *fusion.Output, r *result.Result) {
	for i := range r.Modalities {
		r.Modalities[i].Share = out.Share[i]
	}
	switch m.task {
	case fusion.Classify:
		r.Probabilities = append(r.Probabilities, out.Probabilities...)
		r.Label = m.labels[largest(out.Probabilities)]
	case fusion.Regress:
		r.Values = append(r.Values, out.Logits...)
	default:
		r.Values = append(r.Values, out.Z...)
	}
}

// largest returns the index of the first largest element.
func largest(x []float32) (best int) {
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
