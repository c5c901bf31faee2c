package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// ErrUnfinished says that training ended before there was any model.
var ErrUnfinished = errors.New("no model")

// Report says how a model came about and how good it is.
type Report struct {
	Name        string   `json:"name"`
	Task        string   `json:"task"`
	Created     string   `json:"created"` // RFC 3339
	Version     string   `json:"version"` // of ragedge
	KernelSet   string   `json:"kernel_set"`
	Seconds     float64  `json:"seconds"`
	Interrupted string   `json:"interrupted,omitempty"` // why it ended early
	Notes       []string `json:"notes,omitempty"`

	Data  DataReport `json:"data"`
	Split *Split     `json:"split"`
	Seeds []uint64   `json:"seeds"`

	Select string `json:"select"` // the score that candidates are compared by
	Table  []Row  `json:"table"`
	Chosen string `json:"chosen"`
	Seed   uint64 `json:"seed"` // of the model that was kept

	Temperature float64     `json:"temperature,omitempty"`
	Refit       *Refit      `json:"refit,omitempty"`  // nil: there was none
	Curves      []Curve     `json:"curves,omitempty"` // of the chosen candidate
	Validation  *Evaluation `json:"validation"`
	Test        *Evaluation `json:"test,omitempty"`
}

// DataReport is what was trained on.
type DataReport struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	TestName   string `json:"test_name,omitempty"`
	TestDigest string `json:"test_digest,omitempty"`
	Examples   int    `json:"examples"`
	Train      int    `json:"train"`
	Validation int    `json:"validation"`
	Test       int    `json:"test"`
}

// Row is a candidate, or a baseline to compare with.
type Row struct {
	Name         string    `json:"name"`
	Kind         string    `json:"kind"`       // model, single, early or late
	Validation   Mean      `json:"validation"` // over the seeds
	Scores       []float64 `json:"scores"`     // by seed
	Test         *Mean     `json:"test,omitempty"`
	TestAccuracy *Mean     `json:"test_accuracy,omitempty"`
	TestMacroF1  *Mean     `json:"test_macro_f1,omitempty"`
	TestPearson  *Mean     `json:"test_pearson,omitempty"`
	TestRMSE     *Mean     `json:"test_rmse,omitempty"`
	Parameters   int       `json:"parameters"`
	MultiplyAdds int64     `json:"multiply_adds"` // of one answer, every region there
	Latency      int64     `json:"latency_ns"`    // of one answer on this machine, the median
	Chosen       bool      `json:"chosen,omitempty"`
}

// Curve is how one training went.
type Curve struct {
	Seed   uint64  `json:"seed"`
	Best   int     `json:"best"` // epoch
	Epochs []Epoch `json:"epochs"`
}

// Card returns the report as the model file has it: without curves.
func (r *Report) Card() string {
	card := *r
	card.Curves = nil
	text, err := json.Marshal(card)
	if err != nil { // a number that JSON does not have
		return fmt.Sprintf(`{"name":%q}`, r.Name)
	}
	return string(text)
}

// note adds what a reader should know before trusting the figures.
func (w *search) note(r *Report) {
	if w.Task.Seeds < fewestSeeds {
		r.Notes = append(r.Notes, "one seed: a first model, and no comparison")
	}
	if r.Interrupted != "" {
		r.Notes = append(r.Notes, "training ended early: "+r.Interrupted+"; this is the best of what was done")
	}
	for k, c := range w.candidates {
		for _, t := range w.done[k] {
			if t != nil && t.err != nil {
				r.Notes = append(r.Notes, fmt.Sprintf("%s with seed %d is left out: %s", c.name, w.Task.Seed+uint64(t.seed), t.err))
			}
		}
	}
	model := r.Table[slices.IndexFunc(r.Table, func(row Row) bool { return row.Chosen })].Validation
	for _, row := range r.Table {
		if row.Kind != kindModel && row.Validation.Mean > model.Mean+model.Error {
			r.Notes = append(r.Notes, fmt.Sprintf("%s is better on the validation than the model (%.3f, %.3f): the other modalities may not help here, or there are too few examples", row.Name, row.Validation.Mean, model.Mean))
		}
	}
	r.Notes = append(r.Notes, w.constants()...)
	var err error
	if r.Data.Digest, err = w.Data.digest(); err != nil {
		r.Notes = append(r.Notes, "the data could not be read again for their digest: "+err.Error())
	}
	if w.Test != nil {
		r.Data.TestName = w.Test.Name
		if r.Data.TestDigest, err = w.Test.digest(); err != nil {
			r.Notes = append(r.Notes, "the test could not be read again for its digest: "+err.Error())
		}
	}
}

// constants names features that never change, and modalities that are never there.
func (w *search) constants() (notes []string) {
	c := fusion.Config{Modalities: w.Data.Modalities}
	s, err := newSource(&c, w.Data.Data)
	if err != nil {
		return nil
	}
	all, err := s.scan(context.Background(), &c, w.split.Train, len(w.split.Train))
	if err != nil {
		return nil
	}
	for m, modality := range c.Modalities {
		for j, f := range all[m] {
			switch {
			case f.n == 0 && j == 0:
				notes = append(notes, modality.Name+" is absent in every training example")
			case f.n > 0 && f.squares == 0:
				notes = append(notes, fmt.Sprintf("feature %d of %s has always the same value, %v, in the training: is its sensor all right?", j, modality.Name, float32(f.mean)))
			}
		}
	}
	return notes
}
