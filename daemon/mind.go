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

	influence uint64           // measured at every so many decisions; 0: never
	masked    []fusion.Regions // the inputs for that
	steady    steady
	glance    glance
}

func newMind(model *fusion.Model, a *Agent) *mind {
	head := model.Config.Head
	m := &mind{
		model: model, state: model.NewState(), task: head.Task, labels: head.Labels,
		influence: cadence(a.Influence, &model.Config), steady: newSteady(a),
	}
	m.state.UseThreads(a.Threads)
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
// values, and each modality's share and influence. When nothing can be decided it
// leaves the reason instead.
func (m *mind) answer(inputs []fusion.Regions, r *result.Result) {
	r.Label, r.RawLabel, r.Reason = "", "", ""
	r.Probabilities, r.Values = r.Probabilities[:0], r.Values[:0]
	m.glance.seq = 0
	out, err := m.state.Fuse(inputs)
	switch {
	case errors.Is(err, fusion.ErrAllAbsent):
		r.Reason = reasonAllAbsent
	case errors.Is(err, fusion.ErrAnchorAbsent):
		r.Reason = reasonAnchorAbsent
	case err != nil:
		r.Reason = err.Error()
	default:
		m.fill(out, r) // first: out belongs to the state, which is asked again
		m.glance.keep(r.Seq, out)
		best := largest(r.Probabilities)
		m.measure(inputs, r, best)
		m.name(r, best)
		return
	}
	m.steady.forget()
}

// name gives r the label that holds while best is the index of the most probable one.
func (m *mind) name(r *result.Result, best int) {
	if m.task != fusion.Classify {
		return
	}
	r.Label = m.labels[m.steady.settle(r.Probabilities, best, r.Mono)]
	if raw := m.labels[best]; raw != r.Label {
		r.RawLabel = raw
	}
}

func (m *mind) fill(out *fusion.Output, r *result.Result) {
	for i := range r.Modalities {
		r.Modalities[i].Share = out.Share[i]
	}
	switch m.task {
	case fusion.Classify:
		r.Probabilities = append(r.Probabilities, out.Probabilities...)
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
