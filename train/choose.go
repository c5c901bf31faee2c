package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
)

// choose compares what was trained, takes the cheapest model within one standard error of
// the best, and of its seeds the best; then it fits the temperature and reports.
func (w *search) choose(ctx context.Context, interrupted string, took time.Duration) (*Selection, error) {
	w.addLate()
	w.dropPartial()
	seeds := w.comparable()
	if seeds == 0 {
		return nil, fmt.Errorf("%w: %s before anything was trained for one epoch", ErrUnfinished, cmp.Or(interrupted, "every training diverged: lower train.learning_rate"))
	}
	r := w.newReport(interrupted, took)
	for k := range w.candidates {
		row, err := w.row(k, seeds)
		if err != nil {
			return nil, err
		}
		if row != nil {
			r.Table = append(r.Table, *row)
		}
	}
	chosen := cheapest(r.Table)
	if chosen < 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnfinished, cmp.Or(interrupted, "every model diverged with the first seeds: lower train.learning_rate"))
	}
	r.Table[chosen].Chosen = true
	r.Chosen = r.Table[chosen].Name
	k := slices.IndexFunc(w.candidates, func(c candidate) bool { return c.name == r.Chosen })
	best := bestOf(w.done[k], seeds, w.Task.Select)
	r.Seed = w.Task.Seed + uint64(best.seed)
	for _, t := range w.done[k] {
		if trained(t) {
			r.Curves = append(r.Curves, Curve{w.Task.Seed + uint64(t.seed), t.result.Best, t.result.Curve})
		}
	}
	p := best.result.Parameters.clone()
	if err := w.evaluate(ctx, r, p); err != nil {
		return nil, err
	}
	w.note(r)
	p.Card = r.Card()
	return &Selection{p, r}, nil
}

// trained says whether a training gave a model, and complete whether it was not cut short.
func trained(t *training) bool  { return t != nil && t.err == nil }
func complete(t *training) bool { return trained(t) && !t.result.Interrupted }

// dropPartial forgets trainings that were cut short, unless there are no others.
func (w *search) dropPartial() {
	whole := false
	for k, c := range w.candidates {
		whole = whole || c.kind == kindModel && slices.ContainsFunc(w.done[k], complete)
	}
	for _, all := range w.done {
		for seed, t := range all {
			if whole && trained(t) && !complete(t) {
				all[seed] = nil
			}
		}
	}
}

// comparable returns with how many seeds all models were trained, at least 1 when there is
// any model: then those without one are left out.
func (w *search) comparable() int {
	least, any := w.Task.Seeds, false
	for k, c := range w.candidates {
		if c.kind != kindModel {
			continue
		}
		n := 0
		for n < w.Task.Seeds && w.done[k][n] != nil && (complete(w.done[k][n]) || w.done[k][n].err != nil) {
			n++
		}
		least = max(min(least, n), 1)
		any = any || slices.ContainsFunc(w.done[k], trained)
	}
	if !any {
		return 0
	}
	return least
}

// addLate adds late fusion, which needs no training of its own.
func (w *search) addLate() {
	var singles []int
	for k, c := range w.candidates {
		if c.kind == kindSingle {
			singles = append(singles, k)
		}
	}
	if len(singles) == 0 {
		return
	}
	c := candidate{name: "late fusion", kind: kindLate, data: w.Data.Data}
	w.candidates = append(w.candidates, c)
	late := make([]*training, w.Task.Seeds)
	for seed := range late {
		var models []*fusion.Model
		for _, k := range singles {
			if t := w.done[k][seed]; complete(t) {
				models = append(models, t.model)
			}
		}
		if len(models) < len(singles) {
			continue
		}
		t := &training{seed: seed, result: &Result{}}
		if w.score(t, &c, models...) == nil {
			late[seed] = t
		}
	}
	w.done = append(w.done, late)
}

// models returns the model of a training, or those that late fusion asks.
func (w *search) models(k int, t *training) (models []*fusion.Model) {
	if w.candidates[k].kind != kindLate {
		return []*fusion.Model{t.model}
	}
	for i, c := range w.candidates {
		if c.kind == kindSingle {
			models = append(models, w.done[i][t.seed].model)
		}
	}
	return models
}

// row returns a candidate's line of the table, nil when nothing of it was trained.
func (w *search) row(k, seeds int) (*Row, error) {
	c, first := &w.candidates[k], (*training)(nil)
	r := &Row{Name: c.name, Kind: c.kind}
	var validation, test, accuracy, f1, pearson, rmse []float64
	for _, t := range w.done[k][:seeds] {
		if !trained(t) {
			continue
		}
		first = cmp.Or(first, t)
		validation = append(validation, t.validation.by(w.Task.Select))
		if t.test == nil {
			continue
		}
		test = append(test, t.test.by(w.Task.Select))
		if t.test.ClassScores != nil {
			accuracy, f1 = append(accuracy, t.test.Accuracy), append(f1, t.test.MacroF1)
		} else {
			pearson, rmse = append(pearson, t.test.Pearson), append(rmse, t.test.RMSE)
		}
	}
	if first == nil {
		return nil, nil
	}
	r.Validation, r.Scores = meanOver(validation), validation
	for _, m := range []struct {
		to   **Mean
		from []float64
	}{{&r.Test, test}, {&r.TestAccuracy, accuracy}, {&r.TestMacroF1, f1}, {&r.TestPearson, pearson}, {&r.TestRMSE, rmse}} {
		if len(m.from) > 0 {
			mean := meanOver(m.from)
			*m.to = &mean
		}
	}
	models := w.models(k, first)
	for _, m := range models {
		rows := make([]int, len(m.Config.Modalities))
		for i, modality := range m.Config.Modalities {
			rows[i] = modality.Regions
		}
		p := layOut(m.Config, func(t fusion.Tensor) bool { return t.Required || slices.ContainsFunc(c.optional, hasPrefix(t.Name)) })
		r.Parameters += p.Count()
		if w.Cost != nil {
			r.MultiplyAdds += w.Cost(&m.Config, rows, func(name string) bool { return p.Tensor(name) != nil }) / 2
		}
	}
	voter, err := newVoter(c.data, models...)
	if err != nil {
		return nil, err
	}
	r.Latency, err = voter.latency(w.split.Validation)
	return r, err
}

func hasPrefix(name string) func(string) bool {
	return func(prefix string) bool { return len(name) >= len(prefix) && name[:len(prefix)] == prefix }
}

// cheapest returns the row of the cheapest model that is within one standard error of
// the best one, -1 when there is no model. With one seed there is no error, so the best is
// chosen.
func cheapest(table []Row) int {
	best := -1
	for i := range table {
		if table[i].Kind == kindModel && (best < 0 || table[i].Validation.Mean > table[best].Validation.Mean) {
			best = i
		}
	}
	if best < 0 {
		return best
	}
	least, chosen := table[best].Validation.Mean-table[best].Validation.Error, best
	for i := range table {
		r, c := &table[i], &table[chosen]
		if r.Kind == kindModel && r.Validation.Mean >= least &&
			cmp.Or(cmp.Compare(r.MultiplyAdds, c.MultiplyAdds), cmp.Compare(r.Parameters, c.Parameters)) < 0 {
			chosen = i
		}
	}
	return chosen
}

// bestOf returns the best of the trainings of the first seeds.
func bestOf(all []*training, seeds int, by string) (best *training) {
	for _, t := range all[:seeds] {
		if !trained(t) {
			continue
		}
		if best == nil || t.validation.by(by) > best.validation.by(by) ||
			t.validation.by(by) == best.validation.by(by) && t.validation.ClassScores != nil && t.validation.Loss < best.validation.Loss {
			best = t
		}
	}
	return best
}

// evaluate folds the temperature into the chosen model and scores it in full.
func (w *search) evaluate(ctx context.Context, r *Report, p *Parameters) error {
	model, err := p.Model()
	if err != nil {
		return err
	}
	if w.classes != nil {
		voter, err := newVoter(w.Data.Data, model)
		if err != nil {
			return err
		}
		a, err := voter.answer(ctx, w.split.Validation)
		if err != nil {
			return err
		}
		r.Temperature = temperature(a, w.classes)
		p.cool(r.Temperature)
		if model, err = p.Model(); err != nil {
			return err
		}
	}
	if r.Validation, err = Evaluate(ctx, model, w.Data.Data, w.split.Validation, ""); err != nil {
		return err
	}
	return w.evaluateTest(ctx, r, p)
}

// evaluateTest scores a model on the test, if there is one.
func (w *search) evaluateTest(ctx context.Context, r *Report, p *Parameters) error {
	if len(w.test.examples) == 0 {
		return nil
	}
	model, err := p.Model()
	if err != nil {
		return err
	}
	r.Test, err = Evaluate(ctx, model, w.test.data, w.test.examples, "")
	return err
}

// newReport returns what is known before the comparison.
func (w *search) newReport(interrupted string, took time.Duration) *Report {
	r := &Report{
		Name: w.Task.Name, Task: w.Task.Task, Version: w.Version, Created: w.Now.UTC().Format(time.RFC3339),
		KernelSet: ragedge.KernelSet(), Interrupted: interrupted, Seconds: took.Seconds(), Select: w.Task.Select,
		Data:  DataReport{Name: w.Data.Name, Examples: w.Data.Len(), Train: len(w.split.Train), Validation: len(w.split.Validation), Test: len(w.test.examples)},
		Split: w.split, Notes: slices.Clone(w.split.Notes),
	}
	if w.Task.Task == fusion.Regress {
		r.Select = "r2"
	}
	for seed := range w.Task.Seeds {
		r.Seeds = append(r.Seeds, w.Task.Seed+uint64(seed))
	}
	return r
}
