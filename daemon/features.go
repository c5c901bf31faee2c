package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// buildWindows makes the modalities of features without a model, in the order of
// their names.
func (s *setup) buildWindows(features encoder.Features) error {
	s.every = features.Tick.Std()
	if s.every <= 0 {
		return fmt.Errorf("%w: features.tick: needed, or agent.model", ErrConfig)
	}
	for _, name := range slices.Sorted(maps.Keys(features.Modalities)) {
		d := features.Modalities[name]
		if d.Encoder == encoder.Push {
			return fmt.Errorf("%w: features.modality.%s: only a model says how wide pushed regions are: set agent.model", ErrConfig, name)
		}
		if err := s.addModality(name, d.Regions, d.Width(), d); err != nil {
			return err
		}
	}
	s.inputs = make([]fusion.Regions, len(s.modalities))
	s.result.Modalities = make([]result.Modality, len(s.modalities))
	return nil
}

// unlabelled is the number of no label.
const unlabelled = -1

// featureTable collects what a model sees, moment by moment.
type featureTable struct {
	modalities []*modality
	data       [][]float32 // by modality: [moments, regions, features]
	lengths    [][]int64   // by modality: [moments]
	truths     []string
	groups     []int64
	moments    []int64
}

// add takes a moment in unless nothing was there to see.
func (t *featureTable) add(group int, r *result.Result, inputs []fusion.Regions) {
	if !slices.ContainsFunc(inputs, func(in fusion.Regions) bool { return in.Rows > 0 }) {
		return
	}
	for i, m := range t.modalities {
		start := len(t.data[i])
		t.data[i] = append(t.data[i], inputs[i].Data...)
		t.data[i] = append(t.data[i], make([]float32, start+m.regions*m.features-len(t.data[i]))...)
		t.lengths[i] = append(t.lengths[i], int64(inputs[i].Rows))
	}
	t.truths = append(t.truths, r.Truth)
	t.groups = append(t.groups, int64(group))
	t.moments = append(t.moments, r.Time.UnixNano())
}

// FeatureTable replays recordings through the pipeline that c describes and
// returns what a model sees at every decision that has data: for each modality a tensor of its
// name, float32 [moments, regions, features] before normalisation, and
// "NAME.length", how many rows of it count; "label", an index into the metadata
// "labels", −1 where none was given; "group", which recording it was, from 0; and
// "time_ns", Unix time. The metadata "features" is the definition, as a model file
// has it.
//
// A file that ends in .mcap, or such a pattern, takes the place of the [[sensor]]
// blocks; any other that of the file in those of type replay. Without files these
// are played as they are.
func FeatureTable(ctx context.Context, c Config, env Environment, files []string) (*safetensors.File, error) {
	c.Sinks, c.API.Listen, c.Record = nil, nil, record.Config{}
	sources := []([]sensor.Config){c.Sensors}
	if len(files) > 0 {
		sources = nil
	}
	for _, file := range files {
		sources = append(sources, replayOf(c.Sensors, file))
	}
	t := &featureTable{}
	var features encoder.Features
	for group, sensors := range sources {
		c.Sensors = slices.Clone(sensors)
		for i := range c.Sensors {
			if c.Sensors[i].Type != sensor.Recorded {
				return nil, fmt.Errorf("%w: sensor %s is live: name a recording", ErrConfig, c.Sensors[i].Alias)
			}
			c.Sensors[i].Speed = "max"
		}
		env.OnInputs = func(r *result.Result, in []fusion.Regions) { t.add(group, r, in) }
		d, err := New(c, env)
		if err != nil {
			return nil, err
		}
		s := d.current.Load()
		if t.modalities == nil {
			t.data, t.lengths = make([][]float32, len(s.modalities)), make([][]int64, len(s.modalities))
			features = encoder.Features{Tick: encoder.Duration(s.every), Modalities: map[string]encoder.Definition{}}
			for _, m := range s.modalities {
				features.Modalities[m.name] = m.definition
			}
		}
		t.modalities = s.modalities
		if err := d.Run(ctx); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return t.file(features)
}

// replayOf returns the blocks that play a file.
func replayOf(blocks []sensor.Config, file string) []sensor.Config {
	tape := sensor.Config{Alias: "recording", Type: sensor.Recorded, File: file}
	if tape.IsTape() {
		return []sensor.Config{tape}
	}
	blocks = slices.Clone(blocks)
	for i := range blocks {
		blocks[i].File = file
	}
	return blocks
}

func (t *featureTable) file(features encoder.Features) (*safetensors.File, error) {
	n := len(t.truths)
	if n == 0 {
		return nil, fmt.Errorf("%w: nothing is decided in the recordings", ErrData)
	}
	text, err := json.Marshal(features)
	if err != nil {
		return nil, err
	}
	names := slices.Compact(slices.Sorted(slices.Values(t.truths)))
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	labels, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Metadata: map[string]string{"features": string(text), "labels": string(labels)}}
	for i, m := range t.modalities {
		f.Tensors = append(f.Tensors,
			safetensors.NewFloat32(m.name, t.data[i], n, m.regions, m.features),
			safetensors.NewInt64(m.name+".length", t.lengths[i], n))
	}
	truths := make([]int64, n)
	for i, truth := range t.truths {
		if truths[i] = unlabelled; truth != "" {
			truths[i] = int64(slices.Index(names, truth))
		}
	}
	f.Tensors = append(f.Tensors, safetensors.NewInt64("label", truths, n),
		safetensors.NewInt64("group", t.groups, n), safetensors.NewInt64("time_ns", t.moments, n))
	return f, nil
}
