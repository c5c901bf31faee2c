package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
)

// subject is a model to measure. It is loaded when its turn comes: the large ones
// need not be in memory together.
type subject struct {
	name     string
	flops    int64 // per inference; the mean of the examples
	required bool  // whatever time it takes
	examples [][]fusion.Regions
	file     func() ([]byte, error)
}

func (w workload) subject() subject {
	c := &w.config
	rows := make([]int, len(c.Modalities))
	for i, m := range c.Modalities {
		rows[i] = m.Regions
	}
	none := func(string) bool { return false }
	return subject{
		name: w.name, flops: Flops(c, rows, none), file: w.file,
		examples: [][]fusion.Regions{randomRows(c)},
	}
}

// load reads a model file and the file of its input, "" for random regions.
func load(modelPath, inputPath string) (subject, error) {
	data, err := safetensors.ReadBytes(modelPath)
	if err != nil {
		return subject{}, fmt.Errorf("model: %w", err)
	}
	model, err := fusion.Parse(data)
	if err != nil {
		return subject{}, fmt.Errorf("model %s: %w", modelPath, err)
	}
	weights, err := safetensors.Parse(data)
	if err != nil {
		return subject{}, fmt.Errorf("model %s: %w", modelPath, err)
	}
	s := subject{name: modelPath, required: true, file: func() ([]byte, error) { return data, nil }}
	if inputPath == "" {
		s.examples = [][]fusion.Regions{randomRows(&model.Config)}
	} else if s.examples, err = readInput(model, inputPath); err != nil {
		return subject{}, err
	}

	has := func(tensor string) bool { return weights.Tensor(tensor) != nil }
	rows := make([]int, len(model.Config.Modalities))
	for _, example := range s.examples {
		for m, r := range example {
			rows[m] = r.Rows
		}
		s.flops += Flops(&model.Config, rows, has)
	}
	s.flops /= int64(len(s.examples))
	return s, nil
}

// readInput reads the examples of an input file. The model has the last word on
// whether it takes them.
func readInput(model *fusion.Model, path string) ([][]fusion.Regions, error) {
	file, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	if _, err := model.NewState().FuseFile(file); err != nil {
		return nil, fmt.Errorf("input %s: %w", path, err)
	}
	examples := make([][]fusion.Regions, 1)
	for _, t := range file.Tensors {
		if len(t.Shape) == 3 {
			examples = make([][]fusion.Regions, t.Shape[0])
		}
	}
	for i := range examples {
		examples[i] = make([]fusion.Regions, len(model.Config.Modalities))
	}
	for m, modality := range model.Config.Modalities {
		t := file.Tensor(modality.Name)
		if t == nil {
			continue
		}
		values, err := t.Float32s()
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", path, err)
		}
		most := t.Shape[len(t.Shape)-2]
		var lengths []int64
		if l := file.Tensor(modality.Name + ".length"); l != nil {
			if lengths, err = l.Int64s(); err != nil {
				return nil, fmt.Errorf("input %s: %w", path, err)
			}
		}
		for i := range examples {
			rows, at := most, i*most*modality.Features
			if lengths != nil {
				rows = int(lengths[i])
			}
			examples[i][m] = fusion.Regions{
				Rows: rows, Features: modality.Features, Data: values[at : at+rows*modality.Features],
			}
		}
	}
	return examples, nil
}

// modelStep measures one model. A built-in one is skipped when a single inference
// would not fit into its time.
func (r *Report) modelStep(s subject, weight int) step {
	return step{"models", s.name, weight, func(ctx context.Context, budget time.Duration) error {
		end := time.Now().Add(budget)
		// Preparing, a round and counting allocations take three calls.
		all := s.flops * int64(len(s.examples))
		if !s.required && !r.fits(r.KernelSet, 3*all, budget) {
			r.Models = append(r.Models, Figure{
				Name: s.name, MFLOP: float64(s.flops) / 1e6, Skipped: "no time for it; a longer --time measures it",
			})
			return nil
		}
		run, alone, err := s.prepare(r.Threads)
		if err != nil {
			return err
		}
		r.Models = append(r.Models, r.figure(ctx, s.name, s.flops, len(s.examples), time.Until(end), run, alone))
		return nil
	}}
}

// touch changes the last value of every modality: a State computes nothing again for
// rows that are those of the last time, and what is measured is an input that is new.
func touch(example []fusion.Regions) {
	for _, r := range example {
		if last := r.Rows*r.Features - 1; last >= 0 {
			r.Data[last] = -r.Data[last]
		}
	}
}

// prepare loads the model and returns calls that each infer all examples: on so many
// threads, and on one when that is another number.
func (s subject) prepare(threads int) (run, alone func(calls int), err error) {
	data, err := s.file()
	if err != nil {
		return nil, nil, fmt.Errorf("model %s: %w", s.name, err)
	}
	model, err := fusion.Parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("model %s: %w", s.name, err)
	}
	state := model.NewState()
	for i, example := range s.examples {
		if _, err := state.Fuse(example); err != nil {
			return nil, nil, fmt.Errorf("model %s, example %d: %w", s.name, i, err)
		}
	}
	if threads > 1 {
		alone = s.infer(state)
		state = model.NewState()
		state.UseThreads(threads)
	}
	return s.infer(state), alone, nil
}

// infer returns calls that each infer all examples.
func (s subject) infer(state *fusion.State) func(calls int) {
	return func(calls int) {
		for range calls {
			for _, example := range s.examples {
				touch(example)
				state.Fuse(example) // did not fail the first time, and is as large
			}
		}
	}
}
