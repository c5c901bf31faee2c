package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// Schedules of the learning rate.
const (
	OneCycle = "one_cycle" // up from a 25th of it and down to nearly 0, both along a cosine
	Cosine   = "cosine"    // straight up from 0, and down to 0 along a cosine
)

// Options says how to train. Begin with DefaultOptions: 0 is a value of its own.
type Options struct {
	// Train and Validation are the examples to train on, and those that decide when to
	// stop and which weights are kept. Without validation these are the last ones.
	// Examples that have no label or target, nothing present, or no row of an anchor that
	// alignment needs are left out.
	Train, Validation []int

	Seed     uint64
	Epochs   int // at most
	Patience int // epochs without a better score before it stops; 0: none
	Batch    int // examples of a step

	LearningRate float64 // the highest
	Schedule     string  // OneCycle or Cosine
	WarmUp       float64 // the part of all steps in which the learning rate rises
	WeightDecay  float64 // of matrices; not of biases, norms and embeddings
	Clip         float64 // the largest norm of a gradient; 0: any

	// ModalityDropout is the probability that an example is shown without a modality that
	// it has, DropoutOf that of some modalities by name. One is always left, and an anchor
	// that alignment needs.
	ModalityDropout float64
	DropoutOf       map[string]float64

	LabelSmoothing float64   // the part of a label that goes to all labels alike
	ClassWeights   []float64 // how much the examples of each label count; nil: all the same
	Huber          float64   // deviations, in deviations of the target, beyond which the loss is linear; 0: nowhere

	// Optional names, by prefix, the optional tensors of the model: see New. Start, when
	// it is set, are parameters to go on from instead, with their input statistics. They
	// are not changed.
	Optional []string
	Start    *Parameters

	Threads  int         // at most; the result does not depend on it
	Progress func(Epoch) // after every epoch; nil: none
}

// DefaultOptions returns what suits a small model and some thousand examples.
func DefaultOptions() Options {
	return Options{
		Epochs: 40, Patience: 10, Batch: 32,
		LearningRate: 3e-3, Schedule: OneCycle, WarmUp: 0.25, WeightDecay: 0.01, Clip: 1,
		Threads: 1,
	}
}

// check holds the options against each other, the config and the data.
func (o *Options) check(c *fusion.Config, d *Data) error {
	part := func(x float64) bool { return x >= 0 && x < 1 }
	for _, rule := range []struct {
		ok        bool
		key, want string
	}{
		{o.Epochs >= 1, "epochs", "at least 1"},
		{o.Patience >= 0, "patience", "at least 0"},
		{o.Batch >= 1 && o.Batch <= 1<<16, "batch", "1 to 65536"},
		{o.LearningRate > 0 && !math.IsInf(o.LearningRate, 0), "learning rate", "more than 0"},
		{o.Schedule == OneCycle || o.Schedule == Cosine, "schedule", OneCycle + " or " + Cosine},
		{part(o.WarmUp), "warm-up", "0 up to 1"},
		{o.WeightDecay >= 0, "weight decay", "at least 0"},
		{o.Clip >= 0, "clip", "at least 0"},
		{part(o.ModalityDropout), "modality dropout", "0 up to 1"},
		{part(o.LabelSmoothing), "label smoothing", "0 up to 1"},
		{o.Huber >= 0, "huber", "at least 0"},
		{o.Threads >= 1, "threads", "at least 1"},
		{o.ClassWeights == nil || len(o.ClassWeights) == c.Head.Outputs, "class weights", fmt.Sprintf("one for each of the %d outputs", c.Head.Outputs)},
		{!slices.ContainsFunc(o.ClassWeights, func(w float64) bool { return !(w >= 0) || math.IsInf(w, 0) }), "class weights", "at least 0"},
	} {
		if !rule.ok {
			return fmt.Errorf("%w: %s: want %s", ErrOption, rule.key, rule.want)
		}
	}
	for name, p := range o.DropoutOf {
		if c.Index(name) < 0 || !part(p) {
			return fmt.Errorf("%w: dropout of %q is %v: want a modality of the model, and 0 up to 1", ErrOption, name, p)
		}
	}
	trained := make([]bool, d.Len())
	for k, examples := range [][]int{o.Train, o.Validation} {
		for _, i := range examples {
			if i < 0 || i >= d.Len() {
				return fmt.Errorf("%w: there is no example %d in data of %d", ErrOption, i, d.Len())
			}
			if k == 0 {
				trained[i] = true
			} else if trained[i] {
				return fmt.Errorf("%w: example %d is trained on and in the validation", ErrOption, i)
			}
		}
	}
	return nil
}

// dropout returns the probability that modality m is left out.
func (o *Options) dropout(c *fusion.Config, m int) float64 {
	if c.Align == "anchor" && c.Modalities[m].Name == c.Anchor {
		return 0
	}
	if p, ok := o.DropoutOf[c.Modalities[m].Name]; ok {
		return p
	}
	return o.ModalityDropout
}
