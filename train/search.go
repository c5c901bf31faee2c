package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ragedge/ragedge/fusion"
)

// Search trains every candidate with every seed, and chooses one.
type Search struct {
	Task    Task
	Data    *Set
	Test    *Set // other data for the test; nil: none
	Threads int  // candidates at a time; the choice does not depend on it
	Version string
	Now     time.Time // of the report
	// Cost counts the floating-point operations of one answer from so many rows.
	Cost func(c *fusion.Config, rows []int, has func(tensor string) bool) int64
	// Progress is called after every epoch, from one goroutine at a time; nil: never.
	Progress func(Progress)
}

// Progress is how far a search is.
type Progress struct {
	Done, All int // trainings
	Candidate string
	Seed      uint64
	Epoch     Epoch
	Finished  bool    // this training
	Score     float64 // of the validation, once it is finished
}

// Selection is the model that was chosen, and the report.
type Selection struct {
	Parameters *Parameters
	Report     *Report
}

// training is one candidate with one seed.
type training struct {
	seed       int // from 0
	result     *Result
	model      *fusion.Model
	validation Scores
	test       *Scores
	err        error // ErrDiverged, and there is nothing else
}

// search is a Search in progress.
type search struct {
	*Search
	split      *Split
	test       portion // may be empty
	candidates []candidate
	classes    []int64       // of the examples of Data; nil for a regression
	done       [][]*training // by candidate and seed; nil: not trained
	lock       sync.Mutex    // of done, count and Progress
	count      int
}

// portion is examples of some data.
type portion struct {
	data     *Data
	examples []int
}

// Run trains and chooses. When the context or the budget ends, it chooses among what is
// done, and the report says so; an error when nothing is. The data and the task give the
// same choice and model to the bit, whatever the threads, unless that happens.
func (s *Search) Run(ctx context.Context) (*Selection, error) {
	begin := time.Now()
	split, err := s.Task.Divide(s.Data)
	if err != nil {
		return nil, err
	}
	w := &search{Search: s, split: split}
	if w.candidates, err = s.Task.candidates(s.Data, split.Train); err != nil {
		return nil, err
	}
	if _, w.classes, err = knownTo(&w.candidates[0].config, s.Data.Data); err != nil {
		return nil, err
	}
	if err := w.findTest(); err != nil {
		return nil, err
	}
	limited, stop := context.WithTimeout(ctx, s.Task.Budget.Std())
	defer stop()
	if err := w.trainAll(limited); err != nil {
		return nil, err
	}
	interrupted := ""
	if ctx.Err() != nil {
		interrupted = "it was interrupted"
	} else if limited.Err() != nil {
		interrupted = fmt.Sprintf("the budget of %v was used up", s.Task.Budget)
	}
	// What is done is reported all the same.
	chosen, err := w.choose(context.WithoutCancel(ctx), interrupted, time.Since(begin))
	if err != nil || !s.Task.Refit || interrupted != "" {
		return chosen, err
	}
	return w.refit(limited, chosen)
}

// findTest sets the examples of the test.
func (w *search) findTest() error {
	w.test = portion{w.Data.Data, w.split.Test}
	if w.Test == nil {
		return nil
	}
	if len(w.split.Test) > 0 {
		return fmt.Errorf("%w: train.test names files, and the data have examples for the test as well: use one of the two", ErrTask)
	}
	known, _, err := knownTo(&w.candidates[0].config, w.Test.Data)
	if err != nil {
		return fmt.Errorf("test %s: %w", w.Test.Name, err)
	}
	w.test = portion{w.Test.Data, nil}
	for i := range w.Test.Len() {
		if known(i) && w.Test.anything(i) {
			w.test.examples = append(w.test.examples, i)
		}
	}
	if len(w.test.examples) == 0 {
		return fmt.Errorf("%w: test %s: no example has a label or target", ErrData, w.Test.Name)
	}
	return nil
}

// trainAll trains every candidate with the first seed, then with the next, so that what
// is done can be compared whenever it ends.
func (w *search) trainAll(ctx context.Context) error {
	type job struct{ candidate, seed int }
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w.done = make([][]*training, len(w.candidates))
	jobs := make(chan job)
	var workers sync.WaitGroup
	var failed error
	for range max(1, w.Threads) {
		workers.Go(func() {
			for j := range jobs {
				t := w.train(ctx, j.candidate, j.seed)
				w.lock.Lock()
				switch {
				case t.err == nil || errors.Is(t.err, ErrDiverged):
					w.done[j.candidate][j.seed] = t
				case ctx.Err() == nil:
					failed = cmp.Or(failed, fmt.Errorf("%s: %w", w.candidates[j.candidate].name, t.err))
					stop()
				}
				w.count++
				if w.Progress != nil {
					w.Progress(Progress{
						Done: w.count, All: w.all(), Candidate: w.candidates[j.candidate].name, Seed: w.Task.Seed + uint64(j.seed),
						Finished: true, Score: t.validation.by(w.Task.Select),
					})
				}
				w.lock.Unlock()
			}
		})
	}
	for k := range w.candidates {
		w.done[k] = make([]*training, w.Task.Seeds)
	}
	for seed := range w.Task.Seeds {
		for k := range w.candidates {
			if w.candidates[k].kind == kindLate {
				continue
			}
			select {
			case jobs <- job{k, seed}:
			case <-ctx.Done():
			}
		}
	}
	close(jobs)
	workers.Wait()
	return failed
}

// all is how many trainings there are.
func (w *search) all() int { return len(w.candidates) * w.Task.Seeds }

// train trains and scores one candidate with one seed.
func (w *search) train(ctx context.Context, k, seed int) *training {
	c, t := &w.candidates[k], &training{seed: seed}
	o, err := w.options(c, w.Task.Seed+uint64(seed))
	if err != nil {
		t.err = err
		return t
	}
	o.Progress = w.progress(c.name, o.Seed)
	if t.result, t.err = Fit(ctx, c.config, c.data, o); t.result == nil {
		return t
	}
	t.err = nil // diverged: the best epoch before that
	if t.model, t.err = t.result.Parameters.Model(); t.err != nil {
		return t
	}
	t.err = w.score(t, c, t.model)
	return t
}

// progress returns what to call after every epoch of a training.
func (w *search) progress(name string, seed uint64) func(Epoch) {
	return func(e Epoch) {
		if w.Progress == nil {
			return
		}
		w.lock.Lock()
		defer w.lock.Unlock()
		w.Progress(Progress{Done: w.count, All: w.all(), Candidate: name, Seed: seed, Epoch: e})
	}
}

// options returns how to train a candidate with a seed.
func (w *search) options(c *candidate, seed uint64) (o Options, err error) {
	o = w.Task.options(seed, len(w.split.Train))
	o.Train, o.Validation, o.Optional = w.split.Train, w.split.Validation, c.optional
	if c.kind == kindSingle || c.kind == kindEarly {
		o.ModalityDropout, o.DropoutOf = 0, nil
	}
	o.ClassWeights, err = w.weights(c)
	return o, err
}

// score scores models on the validation and the test.
func (w *search) score(t *training, c *candidate, models ...*fusion.Model) (err error) {
	if t.validation, err = w.scores(portion{c.data, w.split.Validation}, models); err != nil || len(w.test.examples) == 0 {
		return err
	}
	test := w.test
	if test.data == w.Data.Data {
		test.data = c.data
	} else if c.joiner != nil {
		if test.data, err = c.joiner.join(test.data); err != nil || test.data == nil {
			return err
		}
	}
	s, err := w.scores(test, models)
	t.test = &s
	return err
}

func (w *search) scores(of portion, models []*fusion.Model) (Scores, error) {
	voter, err := newVoter(of.data, models...)
	if err != nil {
		return Scores{}, err
	}
	_, classes, err := knownTo(&models[0].Config, of.data)
	if err != nil {
		return Scores{}, err
	}
	// Short, and what is trained is to be scored whatever ends.
	a, err := voter.answer(context.Background(), of.examples)
	if err != nil {
		return Scores{}, err
	}
	return scoresOf(a, of.data, classes), nil
}

// weights returns how much every class counts.
func (w *search) weights(c *candidate) ([]float64, error) {
	if c.config.Head.Task != fusion.Classify || !w.Task.Balance && len(w.Task.ClassWeights) == 0 {
		return nil, nil
	}
	n := c.config.Head.Outputs
	weights := slices.Repeat([]float64{1}, n)
	if w.Task.Balance {
		weights = BalancedWeights(w.classes, w.split.Train, n)
	}
	for label, factor := range w.Task.ClassWeights {
		k := -1
		for i := range n {
			if labelText(c.config.Head.Labels, i) == label {
				k = i
			}
		}
		if k < 0 {
			return nil, fmt.Errorf("%w: train.class_weights: the data have no label %q, but %q", ErrTask, label, c.config.Head.Labels)
		}
		weights[k] *= factor
	}
	return weights, nil
}
