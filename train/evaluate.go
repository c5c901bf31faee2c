package train

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge/fusion"
)

// Evaluation is how a model does on some examples.
type Evaluation struct {
	Scores
	Labels    []string  `json:"labels,omitempty"`
	Confusion [][]int   `json:"confusion,omitempty"` // [truth][answer]
	Classes   []Class   `json:"classes,omitempty"`
	Shares    [][]Share `json:"shares,omitempty"` // of every class of the truth; of all for a regression
	Missing   []Missing `json:"missing,omitempty"`
	Against   *Binary   `json:"against,omitempty"`
	Latency   int64     `json:"latency_ns"` // of one answer on this machine, the median
	Unknown   int       `json:"unknown"`    // examples without a label or target, which are not scored
}

// Class is how well one class is told.
type Class struct {
	Label     string  `json:"label"`
	Rows      int     `json:"rows"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Share is how much of the attention a modality has.
type Share struct {
	Modality string  `json:"modality"`
	Share    float64 `json:"share"`
}

// Missing is how a model does without some modalities, and how many examples were
// answered all the same.
type Missing struct {
	Without []string `json:"without"`
	Scores
}

// Binary is a classification seen as one label against all others.
type Binary struct {
	Label    string     `json:"label"`
	Accuracy float64    `json:"accuracy"`
	Interval [2]float64 `json:"accuracy_95"`
	F1       float64    `json:"f1"` // of the others
}

// Evaluate asks a model about the examples of the data that have a label or target;
// examples nil: all. Labels are matched by name. against, if not empty, is a label to
// compare with all others.
func Evaluate(ctx context.Context, model *fusion.Model, d *Data, examples []int, against string) (*Evaluation, error) {
	voter, err := newVoter(d, model)
	if err != nil {
		return nil, err
	}
	c := &model.Config
	if err := d.sees(model.Features); err != nil {
		return nil, err
	}
	known, classes, err := knownTo(c, d)
	if err != nil {
		return nil, err
	}
	if examples == nil {
		examples = numbersUpTo(d.Len())
	}
	scored := slices.DeleteFunc(slices.Clone(examples), func(i int) bool { return !known(i) })
	if len(scored) == 0 {
		return nil, fmt.Errorf("%w: none of %d examples has a label or target to compare with", ErrData, len(examples))
	}
	all, err := voter.answer(ctx, scored)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Scores: scoresOf(all, d, classes), Labels: c.Head.Labels, Unknown: len(examples) - len(scored)}
	e.shares(c, all, classes)
	if classes != nil {
		e.Confusion = confusion(all, classes)
		e.classes()
		if err := e.against(against); err != nil {
			return nil, err
		}
	}
	for _, names := range missing(c) {
		a, err := voter.answer(ctx, scored, names...)
		if err != nil {
			return nil, err
		}
		e.Missing = append(e.Missing, Missing{names, scoresOf(a, d, classes)})
	}
	e.Latency, err = voter.latency(scored)
	return e, err
}

// knownTo returns which examples have what the model answers, and their classes, nil for
// a regression.
func knownTo(c *fusion.Config, d *Data) (func(int) bool, []int64, error) {
	if c.Head.Task == fusion.Embed {
		return nil, nil, fmt.Errorf("%w: the model embeds: it gives no answer to compare", ErrOption)
	}
	s, err := newSource(c, d)
	if err != nil {
		return nil, nil, err
	}
	known, err := s.known(c)
	return known, s.classes, err
}

func scoresOf(a *replies, d *Data, classes []int64) Scores {
	if classes == nil {
		return numberScores(a, d)
	}
	return classScores(a, classes)
}

func numbersUpTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// missing lists every modality, and then every pair, while something is left.
func missing(c *fusion.Config) [][]string {
	var one, two [][]string
	for i, m := range c.Modalities {
		if len(c.Modalities) > 1 {
			one = append(one, []string{m.Name})
		}
		for _, other := range c.Modalities[i+1:] {
			if len(c.Modalities) > 2 {
				two = append(two, []string{m.Name, other.Name})
			}
		}
	}
	return append(one, two...)
}

// shares averages the attention that modalities have.
func (e *Evaluation) shares(c *fusion.Config, a *replies, classes []int64) {
	M, rows := len(c.Modalities), 1
	if classes != nil {
		rows = c.Head.Outputs
	}
	sums, counts := make([]float64, rows*M), make([]float64, rows)
	for i, example := range a.examples {
		r := 0
		if classes != nil {
			r = int(classes[example])
		}
		counts[r]++
		for m, v := range a.shares[i*M : (i+1)*M] {
			sums[r*M+m] += float64(v)
		}
	}
	for r := range rows {
		var row []Share
		for m, modality := range c.Modalities {
			row = append(row, Share{modality.Name, sums[r*M+m] / max(counts[r], 1)})
		}
		e.Shares = append(e.Shares, row)
	}
}

func (e *Evaluation) classes() {
	for c := range e.Confusion {
		truth, said, right := 0, 0, e.Confusion[c][c]
		for k := range e.Confusion {
			truth += e.Confusion[c][k]
			said += e.Confusion[k][c]
		}
		part := func(a, b int) float64 { return float64(a) / float64(max(b, 1)) }
		e.Classes = append(e.Classes, Class{labelText(e.Labels, c), truth, part(right, said), part(right, truth), part(2*right, truth+said)})
	}
}

// against sets the view of one label against all others.
func (e *Evaluation) against(label string) error {
	if label == "" {
		return nil
	}
	at := -1
	for c := range e.Confusion {
		if labelText(e.Labels, c) == label {
			at = c
		}
	}
	if at < 0 {
		return fmt.Errorf("%w: the model knows no label %q: it has %q", ErrOption, label, e.Labels)
	}
	var right, others, all int // others: both say that it is not the label
	wrong := 0
	for t := range e.Confusion {
		for a, n := range e.Confusion[t] {
			all += n
			switch {
			case t != at && a != at:
				others += n
				right += n
			case t == at && a == at:
				right += n
			default:
				wrong += n
			}
		}
	}
	e.Against = &Binary{label, float64(right) / float64(max(all, 1)), Wilson(right, all), 2 * float64(others) / float64(max(2*others+wrong, 1))}
	return nil
}

// latency measures what one answer takes on this machine, in nanoseconds.
func (v *voter) latency(examples []int) (int64, error) {
	const times = 101
	var all []float64 // sorted elsewhere as well: a type of its own would be 4 KB of program
	for k := range times {
		at := examples[k*len(examples)/times]
		if _, _, err := v.ask(at); err != nil { // for the caches
			return 0, err
		}
		begin := time.Now()
		if _, _, err := v.ask(at); err != nil {
			return 0, err
		}
		all = append(all, float64(time.Since(begin)))
	}
	slices.Sort(all)
	return int64(all[len(all)/2]), nil
}
