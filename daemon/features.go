package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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
	features   encoder.Features
	modalities []*modality
	data       [][]float32 // by modality: [moments, regions, features]
	lengths    [][]int64   // by modality: [moments]
	truths     []string
	groups     []int64
	moments    []int64
	splits     []int64   // nil where no recording has any
	targets    []float32 // the same

	names []string // of the groups
	known map[string]int64
	pass  *pass
	group int64 // of the pass
	marks sensor.Marks
}

// begin makes the table ready for another pass.
func (t *featureTable) begin(p *pass) error {
	marks := p.setup.replay.Marks()
	if t.pass == nil {
		n := len(p.setup.modalities)
		t.data, t.lengths, t.marks = make([][]float32, n), make([][]int64, n), marks
		t.features = encoder.Features{Tick: encoder.Duration(p.setup.every), Modalities: map[string]encoder.Definition{}}
		for _, m := range p.setup.modalities {
			t.features.Modalities[m.name] = m.definition
		}
	}
	if marks != t.marks {
		return fmt.Errorf("%w: %s: split or target is not in all recordings", ErrData, p.name)
	}
	t.pass, t.modalities = p, p.setup.modalities
	key, name := p.group, p.group
	if p.group == "" { // recordings without groups are one each, whatever their names
		key, name = fmt.Sprintf("%d %s", p.file, p.name), p.name
	}
	group, known := t.known[key]
	if !known {
		group = int64(len(t.names))
		t.names, t.known[key] = append(t.names, name), group
	}
	t.group = group
	return nil
}

// add takes a moment in unless nothing was there to see.
func (t *featureTable) add(r *result.Result, inputs []fusion.Regions) {
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
	t.groups = append(t.groups, t.group)
	t.moments = append(t.moments, r.Time.UnixNano())
	mark := t.pass.setup.replay.Mark()
	if t.marks.Split {
		t.splits = append(t.splits, int64(mark.Split))
	}
	if t.marks.Target {
		t.targets = append(t.targets, mark.Target)
	}
}

// FeatureTable replays recordings through the pipeline that c describes and
// returns what a model sees at every decision that has data: for each modality a tensor of its
// name, float32 [moments, regions, features] before normalisation, and
// "NAME.length", how many rows of it count; "label", an index into the metadata
// "labels", −1 where none was given; "group", an index into the metadata "groups",
// which is which recording it was, or the text of the column that the key group
// names; and "time_ns", Unix time. With the key split there is "split", an index
// into the metadata "splits" or −1, and with target "target", float32, NaN where a
// row has none. The metadata "features" is the definition, as a model file has it.
//
// A file that ends in .mcap, or such a pattern, takes the place of the [[sensor]]
// blocks, files of one run that follow each other together; any other that of the
// file in those of type replay. Without files these are played as they are. Nothing
// is carried over in a window from one file, or one group, to the next.
func FeatureTable(ctx context.Context, c Config, env Environment, files []string) (*safetensors.File, error) {
	t := &featureTable{known: map[string]int64{}}
	env.OnInputs = t.add
	if err := passes(ctx, c, env, files, "max", t.begin); err != nil {
		return nil, err
	}
	return t.file()
}

func (t *featureTable) file() (*safetensors.File, error) {
	n := len(t.truths)
	if n == 0 {
		return nil, fmt.Errorf("%w: nothing is decided in the recordings", ErrData)
	}
	names := slices.Compact(slices.Sorted(slices.Values(t.truths)))
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	f := &safetensors.File{Metadata: map[string]string{}}
	about := map[string]any{"features": t.features, "labels": names, "groups": t.names}
	if t.splits != nil {
		about["splits"] = sensor.Splits
	}
	for key, v := range about {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		f.Metadata[key] = string(text)
	}
	for i, m := range t.modalities {
		f.Tensors = append(f.Tensors,
			safetensors.NewFloat32(m.name, t.data[i], n, m.regions, m.features),
			safetensors.NewInt64(m.name+".length", t.lengths[i], n))
		t.data[i] = nil // the file has it now
	}
	truths := make([]int64, n)
	for i, truth := range t.truths {
		if truths[i] = unlabelled; truth != "" {
			truths[i] = int64(slices.Index(names, truth))
		}
	}
	f.Tensors = append(f.Tensors, safetensors.NewInt64("label", truths, n),
		safetensors.NewInt64("group", t.groups, n), safetensors.NewInt64("time_ns", t.moments, n))
	if t.splits != nil {
		f.Tensors = append(f.Tensors, safetensors.NewInt64("split", t.splits, n))
	}
	if t.targets != nil {
		f.Tensors = append(f.Tensors, safetensors.NewFloat32("target", t.targets, n))
	}
	return f, nil
}
