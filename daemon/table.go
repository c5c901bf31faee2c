package daemon

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/spool"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// Table is what a model sees in recordings, as a safetensors file to read or to write
// somewhere. Close it.
type Table struct {
	*safetensors.Joined
	Moments int
	Labels  string   // as JSON
	Empty   []string // files with nothing to play, which were passed over
	rows    *spool.Spool
}

// Close lets go of the temporary file.
func (t *Table) Close() error { return t.rows.Close() }

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
// file in those of type replay. Without files these are played as they are. Files with
// nothing to play are passed over, unless all are such. Nothing is carried over in a
// window from one file, or one group, to the next.
//
// What the table holds is in a temporary file, as package spool has it, in dir; memory
// has a few bytes of each decision.
func FeatureTable(ctx context.Context, c Config, env Environment, files []string, dir string) (*Table, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t := &featureTable{dir: dir, stop: stop, groups: map[string]int64{}, labels: map[string]uint32{}}
	seen := env.OnInputs
	env.OnInputs = func(r *result.Result, inputs []fusion.Regions) {
		t.add(r, inputs)
		if seen != nil {
			seen(r, inputs)
		}
	}
	empty, err := passes(ctx, c, env, files, "max", t.begin)
	err = cmp.Or(t.failed, err)
	if err == nil {
		var table *Table
		if table, err = t.table(); err == nil {
			table.Empty = empty
			return table, nil
		}
	}
	if t.rows != nil {
		t.rows.Close()
	}
	return nil, err
}

// featureTable collects what a model sees, moment by moment.
type featureTable struct {
	dir      string
	features encoder.Features
	marks    sensor.Marks
	rows     *spool.Spool // columns: modalities, their lengths, groupColumn and so on
	truths   []uint32     // by moment, numbers of labels

	names  []string // of the groups
	groups map[string]int64
	labels map[string]uint32 // by the order in which they came

	modalities []*modality
	pass       *pass
	group      int64 // of the pass
	stop       func()
	failed     error
}

// Columns behind those of the modalities.
const (
	groupColumn = iota
	timeColumn
	splitColumn
	targetColumn
)

// begin makes the table ready for another pass.
func (t *featureTable) begin(p *pass) error {
	marks := p.setup.replay.Marks()
	if t.pass == nil {
		t.marks = marks
		t.features = encoder.Features{Tick: encoder.Duration(p.setup.every), Modalities: map[string]encoder.Definition{}}
		var widths []int
		for _, m := range p.setup.modalities {
			t.features.Modalities[m.name] = m.definition
			widths = append(widths, 4*m.regions*m.features)
		}
		widths = append(widths, slices.Repeat([]int{8}, len(widths))...)
		t.rows = spool.New(t.dir, append(widths, 8, 8, 8, 4)...)
	}
	if marks != t.marks {
		return fmt.Errorf("%w: %s: split or target is not in all recordings", ErrData, p.name)
	}
	t.pass, t.modalities = p, p.setup.modalities
	key, name := p.group, p.group
	if p.group == "" { // recordings without groups are one each, whatever their names
		key, name = fmt.Sprintf("%d %s", p.file, p.name), p.name
	}
	group, known := t.groups[key]
	if !known {
		group = int64(len(t.names))
		t.names, t.groups[key] = append(t.names, name), group
	}
	t.group = group
	return nil
}

// add takes a moment in unless nothing was there to see.
func (t *featureTable) add(r *result.Result, inputs []fusion.Regions) {
	if t.failed != nil || !slices.ContainsFunc(inputs, func(in fusion.Regions) bool { return in.Rows > 0 }) {
		return
	}
	n := len(t.modalities)
	for i, in := range inputs {
		row := t.rows.Row(i)
		for k, v := range in.Data {
			binary.LittleEndian.PutUint32(row[4*k:], math.Float32bits(v))
		}
		t.put(n+i, int64(in.Rows))
	}
	t.put(2*n+groupColumn, t.group)
	t.put(2*n+timeColumn, r.Time.UnixNano())
	mark := t.pass.setup.replay.Mark()
	t.put(2*n+splitColumn, int64(mark.Split))
	binary.LittleEndian.PutUint32(t.rows.Row(2*n+targetColumn), math.Float32bits(mark.Target))
	truth, known := t.labels[r.Truth]
	if !known {
		truth = uint32(len(t.labels))
		t.labels[r.Truth] = truth
	}
	t.truths = append(t.truths, truth)
	if t.failed = t.rows.Next(); t.failed != nil {
		t.stop() // no need to see the rest
	}
}

func (t *featureTable) put(column int, v int64) {
	binary.LittleEndian.PutUint64(t.rows.Row(column), uint64(v))
}

// table makes the file of what was collected.
func (t *featureTable) table() (*Table, error) {
	n := len(t.truths)
	if n == 0 {
		return nil, fmt.Errorf("%w: nothing is decided in the recordings", ErrData)
	}
	truths, labels := t.numbered()
	about := map[string]any{"features": t.features, "labels": labels, "groups": t.names}
	if t.marks.Split {
		about["splits"] = sensor.Splits
	}
	metadata := map[string]string{}
	for key, v := range about {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		metadata[key] = string(text)
	}
	var parts []safetensors.Part
	part := func(name string, d safetensors.DType, column int, row ...int) {
		parts = append(parts, safetensors.Part{Name: name, DType: d, Shape: append([]int{n}, row...), Data: t.rows.Column(column)})
	}
	M := len(t.modalities)
	for i, m := range t.modalities {
		part(m.name, safetensors.F32, i, m.regions, m.features)
		part(m.name+".length", safetensors.I64, M+i)
	}
	parts = append(parts, safetensors.Part{Name: "label", DType: safetensors.I64, Shape: []int{n}, Data: bytes.NewReader(truths)})
	part("group", safetensors.I64, 2*M+groupColumn)
	part("time_ns", safetensors.I64, 2*M+timeColumn)
	if t.marks.Split {
		part("split", safetensors.I64, 2*M+splitColumn)
	}
	if t.marks.Target {
		part("target", safetensors.F32, 2*M+targetColumn)
	}
	file, err := safetensors.Join(metadata, parts)
	return &Table{Joined: file, Moments: n, Labels: metadata["labels"], rows: t.rows}, err
}

// unlabelled is the number of no label.
const unlabelled = -1

// numbered returns the tensor label, and the names that its numbers are of.
func (t *featureTable) numbered() (data []byte, names []string) {
	number := make([]int64, len(t.labels)) // by the order in which they came
	names = []string{}
	for _, name := range slices.Sorted(maps.Keys(t.labels)) {
		number[t.labels[name]] = int64(len(names))
		if name == "" {
			number[t.labels[name]] = unlabelled
		} else {
			names = append(names, name)
		}
	}
	data = make([]byte, 0, 8*len(t.truths))
	for _, truth := range t.truths {
		data = binary.LittleEndian.AppendUint64(data, uint64(number[truth]))
	}
	return data, names
}
