package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/fusion"
)

// adapted are the tensors that Adapt trains, by prefix: which modality counts, and what
// follows from the fused vector. What was learnt of each modality stays.
var adapted = []string{"gate.", "head."}

// The defaults of Adapt, beside those of a task: few and small steps from what is there.
const adaptEpochs, adaptRate = 20, 1e-3

// ErrWorse says that a model was not improved.
var ErrWorse = errors.New("the adapted model is no better")

// Adaptation is a model that went on learning, and how the old and the new one do on
// examples that neither was trained on here.
type Adaptation struct {
	Parameters *Parameters `json:"-"`
	Created    string      `json:"created"`
	Version    string      `json:"version"`
	From       string      `json:"from"` // digest of the old model
	Data       string      `json:"data"`
	Digest     string      `json:"digest"` // of the data
	Train      int         `json:"train"`
	Split      *Split      `json:"split"`
	Select     string      `json:"select"`
	Before     Scores      `json:"before"`
	After      Scores      `json:"after"`
}

// Adapt fine-tunes gate and head of a model on labelled examples, and keeps the part of
// them that the task calls validation for the comparison. The error wraps ErrWorse when
// the new model scores lower, or the same with a larger loss; it comes with the
// Adaptation.
func (t *Task) Adapt(ctx context.Context, old *Parameters, from string, s *Set, version string, now time.Time) (*Adaptation, error) {
	c := old.Config
	t.Task = c.Head.Task
	if err := s.sees(old.Features); err != nil {
		return nil, err
	}
	split, err := t.Divide(s)
	if err != nil {
		return nil, err
	}
	_, classes, err := knownTo(&c, s.Data)
	if err != nil {
		return nil, err
	}
	o := t.options(t.Seed, len(split.Train))
	o.Train, o.Start, o.Patience = split.Train, old, 0
	o.Epochs, o.LearningRate = min(o.Epochs, adaptEpochs), min(o.LearningRate, adaptRate)
	f, err := prepare(ctx, c, s.Data, o)
	if err != nil {
		return nil, err
	}
	defer f.crew.close()
	f.freeze(adapted)
	r, err := f.run(ctx)
	if err != nil {
		return nil, err
	}
	if r.Interrupted {
		return nil, fmt.Errorf("%w: %w", ErrUnfinished, ctx.Err())
	}
	a := &Adaptation{
		Parameters: r.Parameters, Created: now.UTC().Format(time.RFC3339), Version: version, From: from,
		Data: s.Name, Train: len(split.Train), Split: split, Select: t.Select,
	}
	if a.Digest, err = s.digest(); err != nil {
		return nil, err
	}
	if a.Before, err = compare(ctx, old, s.Data, split.Validation, classes); err != nil {
		return nil, err
	}
	if a.After, err = compare(ctx, r.Parameters, s.Data, split.Validation, classes); err != nil {
		return nil, err
	}
	r.Parameters.Card = a.card(old.Card)
	return a, a.verdict()
}

// freeze leaves all tensors as they are but those of the prefixes.
func (f *fit) freeze(trained []string) {
	var parts []part
	for i, tensor := range f.net.tensors {
		if slices.ContainsFunc(trained, func(prefix string) bool { return strings.HasPrefix(tensor.name, prefix) }) {
			parts = append(parts, f.adam.parts[i])
		}
	}
	f.adam.parts = parts
}

// compare scores parameters as the engine runs them.
func compare(ctx context.Context, p *Parameters, d *Data, examples []int, classes []int64) (Scores, error) {
	model, err := p.Model()
	if err != nil {
		return Scores{}, err
	}
	voter, err := newVoter(d, model)
	if err != nil {
		return Scores{}, err
	}
	a, err := voter.answer(ctx, examples)
	if err != nil {
		return Scores{}, err
	}
	return scoresOf(a, d, classes), nil
}

func (a *Adaptation) verdict() error {
	before, after := a.Before.by(a.Select), a.After.by(a.Select)
	if after < before {
		return fmt.Errorf("%w: %s %.3f instead of %.3f on %d examples that were kept apart", ErrWorse, a.score(), after, before, a.After.Rows)
	}
	if after == before && a.loss(&a.After) >= a.loss(&a.Before) {
		return fmt.Errorf("%w: %s %.3f as before, with a loss of %.4f instead of %.4f", ErrWorse, a.score(), after, a.loss(&a.After), a.loss(&a.Before))
	}
	return nil
}

func (a *Adaptation) score() string {
	if a.After.NumberScores != nil {
		return "R²"
	}
	return strings.ReplaceAll(a.Select, "_", " ")
}

func (a *Adaptation) loss(s *Scores) float64 {
	if s.NumberScores != nil {
		return s.RMSE
	}
	return s.Loss
}

// String says what was gained.
func (a *Adaptation) String() string {
	return fmt.Sprintf("%s %.3f before, %.3f after, on %d examples that were kept apart; %d were trained on",
		a.score(), a.Before.by(a.Select), a.After.by(a.Select), a.After.Rows, a.Train)
}

// card adds the adaptation to the card of the old model.
func (a *Adaptation) card(old string) string {
	card := map[string]any{}
	if json.Unmarshal([]byte(old), &card) != nil {
		card = map[string]any{"before": old}
	}
	card["adapted"] = a
	text, err := json.Marshal(card)
	if err != nil {
		return old
	}
	return string(text)
}

// ReadModel reads a model file held in memory, for Adapt, and returns its digest.
func ReadModel(data []byte) (*Parameters, string, error) {
	model, err := fusion.Parse(data)
	if err != nil {
		return nil, "", err
	}
	p, err := Read(data)
	return p, model.Digest, err
}
