package train

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
)

// Task is the table [train] of a task file: what to train on, for what, and what to
// try. docs/training.md says what every key means.
type Task struct {
	Name string `toml:"name"` // of the model; the file's name when it is empty
	Task string `toml:"task"` // fusion.Classify or fusion.Regress

	Data       []string `toml:"data"`        // recordings or tables to train on
	Test       []string `toml:"test"`        // others that are only for the test
	TestGroups []string `toml:"test_groups"` // groups of data that are only for the test

	ValidationGroups []string `toml:"validation_groups"` // groups of data that are the validation
	// Labels renames labels of the data; those that get one name become one.
	Labels map[string]string `toml:"labels"`

	Validation float64          `toml:"validation"` // the part of the training examples
	Split      string           `toml:"split"`      // SplitAuto, SplitColumn, SplitGroups or SplitBlocks
	Gap        encoder.Duration `toml:"gap"`        // between blocks; 0: the longest window

	Strategies []string `toml:"strategies"`
	Widths     []int    `toml:"widths"`
	Layers     []int    `toml:"layers"`
	Align      []string `toml:"align"` // empty: identity where all modalities have as many regions, else resample
	Gate       []string `toml:"gate"`
	Pool       []string `toml:"pool"`
	Norm       []bool   `toml:"norm"`

	Anchor     string `toml:"anchor"`
	Slots      int    `toml:"slots"` // 0: as many as the largest modality has regions, 8 at most
	Gates      int    `toml:"gates"`
	Heads      int    `toml:"heads"`  // 0: 4, or 1 where that does not divide the width
	FFN        int    `toml:"ffn"`    // 0: twice the width
	Hidden     int    `toml:"hidden"` // of the head; -1: as the width
	Activation string `toml:"activation"`
	Score      string `toml:"score"`
	Positions  bool   `toml:"positions"`
	Baselines  bool   `toml:"baselines"`

	Select string           `toml:"select"` // what a candidate is chosen by
	Seeds  int              `toml:"seeds"`
	Seed   uint64           `toml:"seed"` // the first one
	Budget encoder.Duration `toml:"budget"`
	Refit  bool             `toml:"refit"` // train what was chosen once more, with the validation

	Epochs       int     `toml:"epochs"`
	Steps        int     `toml:"steps"` // at most; 0: as many as there are
	Patience     int     `toml:"patience"`
	Batch        int     `toml:"batch"`
	LearningRate float64 `toml:"learning_rate"`
	Schedule     string  `toml:"schedule"`
	WarmUp       float64 `toml:"warm_up"`
	WeightDecay  float64 `toml:"weight_decay"`
	Clip         float64 `toml:"clip"`

	ModalityDropout   float64            `toml:"modality_dropout"`
	ModalityDropoutOf map[string]float64 `toml:"modality_dropout_of"`
	LabelSmoothing    float64            `toml:"label_smoothing"`
	Balance           bool               `toml:"balance"`
	ClassWeights      map[string]float64 `toml:"class_weights"`
	Huber             float64            `toml:"huber"`
}

// Words of the key split.
const (
	SplitAuto   = "auto"
	SplitColumn = "column"
	SplitGroups = "groups"
	SplitBlocks = "blocks"

	splitNamed = "named" // by validation_groups: in reports only
)

// Words of the key select.
const (
	ByRecall   = "recall"
	ByAccuracy = "accuracy"
	ByMacroF1  = "macro_f1"
)

// ErrTask is wrapped by errors about a task file.
var ErrTask = errors.New("training task")

// fewestSeeds is how many seeds a comparison of candidates needs.
const fewestSeeds = 3

// DefaultTask returns what holds where a task file says nothing.
func DefaultTask() Task {
	o := DefaultOptions()
	return Task{
		Task: fusion.Classify, Validation: 0.2, Split: SplitAuto,
		Strategies: []string{"gate", "self", "co", "hybrid"}, Widths: []int{32}, Layers: []int{1},
		Gate: []string{"shared"}, Pool: []string{"attention"}, Norm: []bool{true},
		Gates: 1, Hidden: -1, Activation: "relu", Score: "dot", Positions: true, Baselines: true,
		Select: ByRecall, Seeds: fewestSeeds, Seed: 1, Budget: encoder.Duration(10 * time.Minute),
		Epochs: o.Epochs, Patience: o.Patience, Batch: o.Batch, LearningRate: o.LearningRate, Schedule: o.Schedule,
		WarmUp: o.WarmUp, WeightDecay: o.WeightDecay, Clip: o.Clip, ModalityDropout: 0.3,
	}
}

// ReadTask reads the table [train] of a task file over the defaults. The other tables are
// the daemon's, which reads the same text. Errors wrap ErrTask and begin with
// line:column where there is one.
func ReadTask(text []byte) (Task, error) {
	file := struct {
		Train Task `toml:"train"`
	}{DefaultTask()}
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&file)
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		err = nil
		for i := range strict.Errors {
			e := &strict.Errors[i]
			if key := e.Key(); len(key) > 1 && key[0] == "train" {
				row, col := e.Position()
				err = errors.Join(err, fmt.Errorf("%w: %d:%d: unknown key %s; docs/training.md lists them", ErrTask, row, col, strings.Join(key, ".")))
			}
		}
	} else if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, col := e.Position()
		err = fmt.Errorf("%w: %d:%d: %s: %w", ErrTask, row, col, strings.Join(e.Key(), "."), e)
	}
	if err != nil {
		return Task{}, err
	}
	return file.Train, file.Train.Check()
}

// MakeQuick turns the task into one that takes seconds: one strategy, one seed, no
// baselines. What it gives is a first model, not a comparison.
func (t *Task) MakeQuick() {
	t.Strategies, t.Widths, t.Layers = t.Strategies[:1], t.Widths[:1], t.Layers[:1]
	t.Align, t.Gate, t.Pool, t.Norm = t.Align[:min(1, len(t.Align))], t.Gate[:1], t.Pool[:1], t.Norm[:1]
	t.Seeds, t.Baselines, t.Epochs = 1, false, min(t.Epochs, 15)
}

// Check returns what is wrong with the task, wrapping ErrTask.
func (t *Task) Check() error {
	within := func(all []string, words ...string) bool {
		return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(words, s) })
	}
	least := func(all []int, n int) bool { return len(all) > 0 && slices.Min(all) >= n }
	one := func(s string) []string { return []string{s} }
	for _, rule := range []struct {
		ok        bool
		key, want string
	}{
		{!strings.ContainsAny(t.Name, "/\x00") && t.Name != "." && t.Name != "..", "name", "a file name without a slash"},
		{within(one(t.Task), fusion.Classify, fusion.Regress), "task", "classify or regress"},
		{t.Validation > 0 && t.Validation < 1, "validation", "a part between 0 and 1"},
		{within(one(t.Split), SplitAuto, SplitColumn, SplitGroups, SplitBlocks), "split", "auto, column, groups or blocks"},
		{t.Gap >= 0, "gap", "at least 0s"},
		{len(t.Strategies) > 0 && within(t.Strategies, "gate", "self", "co", "hybrid"), "strategies", "some of gate, self, co and hybrid"},
		{least(t.Widths, 1), "widths", "at least 1"},
		{least(t.Layers, 1), "layers", "at least 1; gate has none by itself"},
		{within(t.Align, "identity", "resample", "anchor", "slots"), "align", "some of identity, resample, anchor and slots"},
		{len(t.Gate) > 0 && within(t.Gate, "shared", "feature"), "gate", "some of shared and feature"},
		{len(t.Pool) > 0 && within(t.Pool, "sum", "mean", "attention", "none"), "pool", "some of sum, mean, attention and none"},
		{len(t.Norm) > 0, "norm", "some of true and false"},
		{!slices.Contains(t.Align, "anchor") || t.Anchor != "", "anchor", "the name of a modality, for align anchor"},
		{within(one(t.Activation), "relu", "gelu"), "activation", "relu or gelu"},
		{within(one(t.Score), "dot", "hadamard"), "score", "dot or hadamard"},
		{t.Slots >= 0 && t.Heads >= 0 && t.FFN >= 0 && t.Hidden >= -1 && t.Gates >= 1, "slots, heads, ffn, hidden, gates", "no negative number"},
		{within(one(t.Select), ByRecall, ByAccuracy, ByMacroF1), "select", "recall, accuracy or macro_f1"},
		{t.Seeds >= fewestSeeds, "seeds", fmt.Sprintf("at least %d, or no comparison can be believed; --quick trains one", fewestSeeds)},
		{t.Budget.Std() >= time.Second, "budget", "a duration of at least 1s"},
		{t.Epochs >= 1 && t.Steps >= 0, "epochs, steps", "at least 1 epoch"},
	} {
		if !rule.ok {
			return fmt.Errorf("%w: train.%s: want %s", ErrTask, rule.key, rule.want)
		}
	}
	return nil
}

// options returns how to train on so many examples with a seed.
func (t *Task) options(seed uint64, examples int) Options {
	o := DefaultOptions()
	o.Seed, o.Epochs, o.Patience, o.Batch = seed, t.Epochs, t.Patience, t.Batch
	if perEpoch := (examples + max(t.Batch, 1) - 1) / max(t.Batch, 1); t.Steps > 0 && perEpoch > 0 {
		o.Epochs = min(o.Epochs, max(1, t.Steps/perEpoch))
	}
	o.LearningRate, o.Schedule, o.WarmUp, o.WeightDecay, o.Clip = t.LearningRate, t.Schedule, t.WarmUp, t.WeightDecay, t.Clip
	o.ModalityDropout, o.DropoutOf = t.ModalityDropout, t.ModalityDropoutOf
	o.LabelSmoothing, o.Huber = t.LabelSmoothing, t.Huber
	return o
}
