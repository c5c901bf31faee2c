package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ragedge/ragedge/fusion"
)

// fewest is how many examples there must be to train on.
const fewest = 10

// prepare checks everything, and makes everything that training needs.
func prepare(ctx context.Context, config fusion.Config, data *Data, o Options) (*fit, error) {
	c, err := checked(config)
	if err != nil {
		return nil, err
	}
	if c.Head.Task == fusion.Embed {
		return nil, fmt.Errorf("%w: head.task: an embed head has nothing to be trained for", ErrOption)
	}
	if err := o.check(&c, data); err != nil {
		return nil, err
	}
	f := &fit{Options: o, begin: time.Now(), random: rand.New(rand.NewPCG(o.Seed, 1))}
	if f.source, err = newSource(&c, data); err != nil {
		return nil, err
	}
	known, err := f.source.known(&c)
	if err != nil {
		return nil, err
	}
	f.train, f.validation = f.source.usable(o.Train, known), f.source.usable(o.Validation, known)
	if err := f.enough(&c); err != nil {
		return nil, err
	}
	all, err := f.source.scan(ctx, &c, slices.Concat(f.train, f.validation), len(f.train))
	if err != nil {
		return nil, err
	}
	parameters, err := f.start(c, all)
	if err != nil {
		return nil, err
	}
	f.goal = newObjective(&c, data, f.train, &o)
	if o.Start != nil {
		parameters.standardise(f.goal)
	}
	f.Batch = min(o.Batch, len(f.train))
	f.net = newNetwork(parameters)
	if f.crew, err = newCrew(f.net, f.source, f.goal, o.Threads, f.Batch); err != nil {
		return nil, err
	}
	f.adam = newAdamW(parameters, o.WeightDecay, o.Clip)
	for m := range c.Modalities {
		f.dropout = append(f.dropout, o.dropout(&c, m))
	}
	f.dropped = make([]bool, f.Batch*len(c.Modalities))
	f.best = make([]float32, len(parameters.values))
	f.result = &Result{Train: len(f.train), Validation: len(f.validation)}
	return f, nil
}

// start returns the parameters to begin with.
func (f *fit) start(c fusion.Config, all [][]moments) (*Parameters, error) {
	if f.Start != nil {
		if was, now := configText(f.Start.Config), configText(c); was != now {
			return nil, fmt.Errorf("%w: start is of another config: %s, want %s", ErrOption, was, now)
		}
		return f.Start.clone(), nil
	}
	p, err := New(c, f.Seed, f.Optional...)
	if err != nil {
		return nil, err
	}
	p.Features = f.source.Features
	p.normalise(all)
	return p, nil
}

// known returns which examples have what the head is trained on.
func (s *source) known(c *fusion.Config) (func(int) bool, error) {
	n := c.Head.Outputs
	if c.Head.Task == fusion.Classify {
		var err error
		if s.Label == nil {
			return nil, fmt.Errorf("%w: there are no labels", ErrData)
		}
		if s.classes, err = s.Classes(c.Head.Labels); err != nil {
			return nil, err
		}
		for i, class := range s.classes {
			if class >= int64(n) {
				return nil, fmt.Errorf("%w: the label of example %d is %d, and the model has %d outputs", ErrData, i, class, n)
			}
		}
		return func(i int) bool { return s.classes[i] >= 0 }, nil
	}
	if len(s.Target) != s.Len()*n {
		return nil, fmt.Errorf("%w: there are %d targets for %d examples, the model needs %d for each", ErrData, len(s.Target), s.Len(), n)
	}
	return func(i int) bool {
		for _, v := range s.Target[i*n : (i+1)*n] {
			if v-v != 0 {
				return false
			}
		}
		return true
	}, nil
}

// enough refuses what nothing can be learnt from.
func (f *fit) enough(c *fusion.Config) error {
	if n := len(f.train); n < fewest {
		return fmt.Errorf("%w: %d of %d training examples can be used, at least %d are needed", ErrData, n, len(f.Train), fewest)
	}
	if len(f.Validation) > 0 && len(f.validation) == 0 {
		return fmt.Errorf("%w: none of %d validation examples can be used", ErrData, len(f.Validation))
	}
	if c.Head.Task != fusion.Classify {
		return nil
	}
	first := f.source.classes[f.train[0]]
	weight := 0.0
	other := false
	for _, i := range f.train {
		other = other || f.source.classes[i] != first
		if f.ClassWeights != nil {
			weight += f.ClassWeights[f.source.classes[i]]
		}
	}
	if !other {
		return fmt.Errorf("%w: all %d training examples have the label %s: at least two labels are needed", ErrData, len(f.train), labelName(c, first))
	}
	if f.ClassWeights != nil && weight == 0 {
		return fmt.Errorf("%w: class weights: every training example has weight 0", ErrOption)
	}
	return nil
}

func labelName(c *fusion.Config, label int64) string {
	if int(label) < len(c.Head.Labels) {
		return fmt.Sprintf("%q", c.Head.Labels[label])
	}
	return fmt.Sprint(label)
}
