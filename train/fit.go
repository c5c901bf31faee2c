package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/ragedge/ragedge/fusion"
)

// Epoch is one time through the training examples.
type Epoch struct {
	Epoch          int     `json:"epoch"` // from 1
	Rate           float64 `json:"rate"`  // the learning rate at its end
	TrainLoss      float64 `json:"train_loss"`
	ValidationLoss float64 `json:"validation_loss"` // 0 without validation
	// Score is of the validation, at most 1: the mean recall of the classes, or the part
	// of the targets' variance that is explained. 0 without validation.
	Score   float64 `json:"score"`
	Seconds float64 `json:"seconds"` // since training began
}

// Result is a trained model.
type Result struct {
	Parameters  *Parameters // of the best epoch
	Curve       []Epoch
	Best        int // the epoch that Parameters are from, from 1; the last one without validation
	Train       int // how many examples were trained on,
	Validation  int // and validated
	Interrupted bool
	Steps       int
	Seconds     float64
}

// Fit trains one model. The same config, data, options and kernel set give the same
// model to the bit, whatever the threads.
//
// Once an epoch is through, the end of the context ends training without an error, and
// the result is the best model so far, with Interrupted set. When training diverges, the
// error comes with that result, if there is one. Other errors wrap [ErrData], or are
// about the config or an option.
func Fit(ctx context.Context, config fusion.Config, data *Data, o Options) (*Result, error) {
	f, err := prepare(ctx, config, data, o)
	if err != nil {
		return nil, err
	}
	defer f.crew.close()
	return f.run(ctx)
}

// fit is a training in progress.
type fit struct {
	Options
	source *source
	goal   *objective
	net    *network
	crew   *crew
	adam   *adamW

	train, validation []int
	random            *rand.Rand
	dropout           []float64 // by modality
	dropped           []bool    // of a batch [examples, M]
	best              []float32 // the weights of the best epoch
	begin             time.Time
	result            *Result
}

// ErrDiverged is wrapped by the error of a training whose numbers grew out of range.
var ErrDiverged = errors.New("training diverged")

func (f *fit) run(ctx context.Context) (*Result, error) {
	steps := f.Epochs * ((len(f.train) + f.Batch - 1) / f.Batch)
	score, loss := math.Inf(-1), math.Inf(1)
	r := f.result
	for epoch := 1; epoch <= f.Epochs; epoch++ {
		e, err := f.epoch(ctx, epoch, steps)
		switch {
		case err != nil && r.Best == 0:
			return nil, err
		case err != nil && ctx.Err() != nil:
			r.Interrupted = true
			return f.finish(), nil
		case err != nil:
			return f.finish(), err
		}
		r.Curve = append(r.Curve, e)
		if len(f.validation) == 0 || e.Score > score || e.Score == score && e.ValidationLoss < loss {
			score, loss, r.Best = e.Score, e.ValidationLoss, epoch
			copy(f.best, f.net.values)
		}
		if f.Progress != nil {
			f.Progress(e)
		}
		if f.Patience > 0 && epoch-r.Best >= f.Patience {
			break
		}
	}
	return f.finish(), nil
}

// finish fills in the result with the best weights.
func (f *fit) finish() *Result {
	p := f.net.Parameters.clone()
	copy(p.values, f.best)
	p.restore(f.goal)
	f.result.Parameters, f.result.Steps, f.result.Seconds = p, f.adam.steps, time.Since(f.begin).Seconds()
	return f.result
}

// epoch trains on every example once, and validates.
func (f *fit) epoch(ctx context.Context, epoch, steps int) (Epoch, error) {
	f.random.Shuffle(len(f.train), func(i, j int) { f.train[i], f.train[j] = f.train[j], f.train[i] })
	f.crew.tally.reset()
	e := Epoch{Epoch: epoch}
	for first := 0; first < len(f.train); first += f.Batch {
		if err := ctx.Err(); err != nil {
			return Epoch{}, err
		}
		e.Rate = f.rate(f.adam.steps, steps)
		if err := f.step(f.train[first:min(first+f.Batch, len(f.train))], e.Rate); err != nil {
			return Epoch{}, err
		}
	}
	e.TrainLoss = f.crew.tally.meanLoss()
	f.crew.tally.reset()
	for first := 0; first < len(f.validation); first += f.Batch {
		if err := ctx.Err(); err != nil {
			return Epoch{}, err
		}
		if err := f.crew.run(job{examples: f.validation[first:min(first+f.Batch, len(f.validation))]}); err != nil {
			return Epoch{}, err
		}
	}
	if len(f.validation) > 0 {
		e.ValidationLoss, e.Score = f.crew.tally.meanLoss(), f.crew.tally.score(f.goal)
	}
	if sum := e.TrainLoss + e.ValidationLoss + length(f.net.values); sum-sum != 0 {
		return Epoch{}, fmt.Errorf("%w in epoch %d: the loss is %v: lower the learning rate, %v", ErrDiverged, epoch, e.TrainLoss, f.LearningRate)
	}
	e.Seconds = time.Since(f.begin).Seconds()
	return e, nil
}

// step trains on a batch. It allocates nothing.
func (f *fit) step(examples []int, rate float64) error {
	weight := float32(0)
	for _, i := range examples {
		if f.goal.classes > 0 {
			weight += f.goal.weightOf(f.source.classes[i])
		} else {
			weight++
		}
	}
	if weight == 0 { // all of classes that do not count
		return nil
	}
	f.drop(examples)
	if err := f.crew.run(job{examples: examples, dropped: f.dropped, learn: true, factor: 1 / weight}); err != nil {
		return err
	}
	f.adam.step(f.net.values, f.crew.gradient, rate)
	f.net.refresh()
	return nil
}
