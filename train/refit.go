package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refit is the last training, with the validation among the examples. Validation, curves
// and table are of the models before it, the test is of the model after it.
type Refit struct {
	Examples int `json:"examples"`
	Epochs   int `json:"epochs"`
}

// refit trains what was chosen once more, from the beginning, on the examples of training
// and validation: for as many epochs as before, or up to the best one where training was
// stopped early. Nothing is left to say when to stop, or what the temperature is, so that
// stays as it was. When the context ends or training diverges, the model stays as
// well, and the report says so.
func (w *search) refit(ctx context.Context, chosen *Selection) (*Selection, error) {
	begin, r := time.Now(), chosen.Report
	k := slices.IndexFunc(w.candidates, func(c candidate) bool { return c.name == r.Chosen })
	c := &w.candidates[k]
	o, err := w.options(c, r.Seed)
	if err != nil {
		return nil, err
	}
	o.Train, o.Validation = slices.Sorted(slices.Values(slices.Concat(w.split.Train, w.split.Validation))), nil
	curve := r.Curves[slices.IndexFunc(r.Curves, func(c Curve) bool { return c.Seed == r.Seed })]
	if len(curve.Epochs) < o.Epochs {
		o.Epochs = curve.Best
	}
	o.Progress = w.progress(c.name+" once more", r.Seed)
	result, err := Fit(ctx, c.config, c.data, o)
	switch {
	case err != nil && !errors.Is(err, ErrDiverged) && ctx.Err() == nil:
		return nil, err
	case err != nil || result.Interrupted:
		why := "it was interrupted"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			why = "the budget was used up"
		} else if ctx.Err() == nil {
			why = err.Error()
		}
		r.Notes = append(r.Notes, "the model was not trained once more with the validation: "+why)
	default:
		r.Refit = &Refit{Examples: result.Train, Epochs: o.Epochs}
		r.Notes = append(r.Notes, fmt.Sprintf("the model was trained once more on all %d examples of training and validation, for %d epochs; the figures of the validation are of the one before", result.Train, o.Epochs))
		chosen.Parameters = result.Parameters
		if w.classes != nil {
			chosen.Parameters.cool(r.Temperature)
		}
		if err := w.evaluateTest(context.WithoutCancel(ctx), r, chosen.Parameters); err != nil {
			return nil, err
		}
	}
	r.Seconds += time.Since(begin).Seconds()
	chosen.Parameters.Card = r.Card()
	return chosen, nil
}
