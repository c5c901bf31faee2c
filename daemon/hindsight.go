package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// recorded is what hindsight needs of a Result's JSON form.
type recorded struct {
	Model         string                  `json:"model"`
	Reason        string                  `json:"reason"`
	Probabilities map[string]float32      `json:"probabilities"`
	Values        []float32               `json:"values"`
	Modalities    map[string]recordedPart `json:"modalities"`
}

type recordedPart struct {
	Share   float32 `json:"share"`
	Present bool    `json:"present"`
	Rows    int     `json:"rows"`
	Age     float64 `json:"age_s"`
}

var errNotAgain = errors.New("what was recorded does not give that answer again: " +
	"not all that led up to it is there, or the configuration's features were others")

// AttentionThen says where a recorded answer looked: see api.Daemon.
//
// The weights are computed and not recorded: for a model of many regions they would
// be longer than the rest of the Result, and they follow from what is recorded. What
// led up to the Result fills windows again, what it says was absent stays so, and the
// answer and the shares that come out must be its own, or nothing is said.
func (d *Daemon) AttentionThen(ctx context.Context, name string, at time.Time) (*api.Attention, error) {
	s := d.current.Load()
	if s.mind == nil {
		return nil, fmt.Errorf("%w: %w", api.ErrNotReady, errNoModel)
	}
	dir := s.recordings()
	if dir == "" {
		return nil, fmt.Errorf("%w: %w", api.ErrUnknown, errNoRecording)
	}
	found, err := record.FindDecision(ctx, dir, name, at)
	if err != nil {
		return nil, unseen(name, err)
	}
	var then recorded
	err = json.Unmarshal(found.JSON, &then)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the Result of that time: %w", api.ErrMismatch, err)
	case then.Reason != "":
		return nil, fmt.Errorf("%w: the Result of that time has no answer: %s", api.ErrUnknown, then.Reason)
	case then.Model != s.mind.model.Digest:
		return nil, fmt.Errorf("%w: the answer is of model %s, and %s is loaded", api.ErrMismatch, then.Model, s.mind.model.Digest)
	}
	p, err := s.again()
	if err != nil {
		return nil, err
	}
	if err := found.LeadUp(ctx, p.reach(&then), p.refill); err != nil {
		return nil, unseen(name, err)
	}
	return s.mind.lookAgain(p, found, &then)
}

// unseen says in the words of the API what is wrong with a recording.
func unseen(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noSuchRecording(name)
	case errors.Is(err, record.ErrNoResult):
		return fmt.Errorf("%w: recording %.100q: %w", api.ErrUnknown, name, err)
	case errors.Is(err, record.ErrUnreadable), errors.Is(err, record.ErrTooLong):
		return fmt.Errorf("%w: recording %.100q: %w", api.ErrMismatch, name, err)
	}
	return err
}

// again is a pipeline with the windows of s, empty, and nothing else.
func (s *setup) again() (*pipeline, error) {
	empty := &setup{wiring: wiring{inlets: map[string]inlet{}}}
	for _, m := range s.modalities {
		if err := empty.addModality(m.name, m.regions, m.features, m.definition); err != nil {
			return nil, err
		}
	}
	return &pipeline{wiring: empty.wiring}, nil
}

// reach is how long before a Result something may lie that it was made of.
func (p *pipeline) reach(then *recorded) (longest time.Duration) {
	for _, m := range p.modalities {
		part := then.Modalities[m.name]
		if !part.Present {
			continue
		}
		longest = max(longest, time.Duration(math.Ceil(part.Age*1e9)))
		if m.window != nil {
			longest = max(longest, m.window.Reach())
		}
	}
	return longest
}

// refill takes in what led up to a decision.
func (p *pipeline) refill(e *record.Event) {
	switch e.Kind {
	case record.ReadingEvent:
		for _, s := range e.Samples {
			p.add(s)
		}
	case record.PushEvent:
		p.retake(e)
	}
}

// lookAgain asks the model once more what it was asked then.
func (m *mind) lookAgain(p *pipeline, found *record.Decision, then *recorded) (*api.Attention, error) {
	var inputs []fusion.Regions
	r := result.Result{Labels: m.labels, Time: found.Time}
	for _, m := range p.modalities {
		part := then.Modalities[m.name]
		in := fusion.Regions{}
		if part.Present {
			data, rows, _ := m.rows(found.At)
			if rows != part.Rows {
				return nil, fmt.Errorf("%w: %w", api.ErrMismatch, errNotAgain)
			}
			in = fusion.Regions{Rows: rows, Features: m.features, Data: data}
		}
		inputs = append(inputs, in)
		r.Modalities = append(r.Modalities, result.Modality{Name: m.name})
	}
	m.aside.mu.Lock()
	defer m.aside.mu.Unlock()
	out, err := m.aside.of(m.model).Fuse(inputs)
	if err == nil {
		if m.fill(out, &r); !then.is(&r) {
			err = errNotAgain
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrMismatch, err)
	}
	var g glance
	g.keep(found.Seq, out)
	return g.describe(&r), nil
}

// is says whether r has the numbers that were recorded, as closely as two kernel sets
// agree.
func (then *recorded) is(r *result.Result) bool {
	same := len(then.Values) == len(r.Values) && len(then.Probabilities) == len(r.Probabilities)
	near := func(a, b, scale float32) bool {
		return math.Abs(float64(a)-float64(b)) <= KernelTolerance*float64(max(1, scale))
	}
	for i := range r.Modalities {
		m := &r.Modalities[i]
		same = same && near(then.Modalities[m.Name].Share, m.Share, 1)
	}
	for i, p := range r.Probabilities {
		same = same && near(then.Probabilities[r.Labels[i]], p, 1)
	}
	scale := float32(0)
	for _, v := range then.Values {
		scale = max(scale, v, -v)
	}
	for i := 0; same && i < len(r.Values); i++ {
		same = near(then.Values[i], r.Values[i], scale)
	}
	return same
}
