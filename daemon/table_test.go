package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// tableBytes returns the file of a table.
func tableBytes(t *testing.T, c Config, env Environment, files []string) []byte {
	dir := t.TempDir()
	table, err := FeatureTable(t.Context(), c, env, files, dir)
	require.NoError(t, err)
	data, err := io.ReadAll(io.NewSectionReader(table, 0, table.Size()))
	require.NoError(t, err)
	require.NoError(t, table.Close())
	requireEmpty(t, dir)
	return data
}

func tableFile(t *testing.T, c Config, env Environment, files []string) *safetensors.File {
	file, err := safetensors.Parse(tableBytes(t, c, env, files))
	require.NoError(t, err)
	return file
}

func requireEmpty(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// inMemory makes the table the plain way: all of it in memory, one slice for a tensor.
func inMemory(t *testing.T, c Config, files []string) *safetensors.File {
	var (
		env                             Environment
		now                             *pass
		data                            [][]float32
		lengths                         [][]int64
		truths                          []string
		groups, moments, splits, marked []int64
		targets                         []float32
		names                           []string
		about                           = encoder.Features{Modalities: map[string]encoder.Definition{}}
		number                          = map[string]int64{}
	)
	env.Notify = &notes{}
	env.OnInputs = func(r *result.Result, inputs []fusion.Regions) {
		if !slices.ContainsFunc(inputs, func(in fusion.Regions) bool { return in.Rows > 0 }) {
			return
		}
		for i, m := range now.setup.modalities {
			row := make([]float32, m.regions*m.features)
			copy(row, inputs[i].Data)
			data[i], lengths[i] = append(data[i], row...), append(lengths[i], int64(inputs[i].Rows))
		}
		truths, groups, moments = append(truths, r.Truth), append(groups, number[now.key()]), append(moments, r.Time.UnixNano())
		mark := now.setup.replay.Mark()
		splits, targets = append(splits, int64(mark.Split)), append(targets, mark.Target)
	}
	_, err := passes(t.Context(), c, env, files, "max", func(p *pass) error {
		now = p
		data, lengths = slices.Grow(data, 9)[:len(p.setup.modalities)], slices.Grow(lengths, 9)[:len(p.setup.modalities)]
		about.Tick = encoder.Duration(p.setup.every)
		for _, m := range p.setup.modalities {
			about.Modalities[m.name] = m.definition
		}
		if _, known := number[p.key()]; !known {
			number[p.key()] = int64(len(names))
			names = append(names, cmp.Or(p.group, p.name))
		}
		return nil
	})
	require.NoError(t, err)
	labels := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(truths))), func(s string) bool { return s == "" })
	for _, truth := range truths {
		marked = append(marked, int64(slices.Index(labels, truth)))
	}
	f, n := &safetensors.File{Metadata: map[string]string{}}, len(truths)
	metadata := map[string]any{"features": about, "labels": labels, "groups": names}
	for i, m := range now.setup.modalities {
		f.Tensors = append(f.Tensors, safetensors.NewFloat32(m.name, data[i], n, m.regions, m.features),
			safetensors.NewInt64(m.name+".length", lengths[i], n))
	}
	f.Tensors = append(f.Tensors, safetensors.NewInt64("label", marked, n), safetensors.NewInt64("group", groups, n), safetensors.NewInt64("time_ns", moments, n))
	marks := now.setup.replay.Marks()
	if marks.Split {
		metadata["splits"] = sensor.Splits
		f.Tensors = append(f.Tensors, safetensors.NewInt64("split", splits, n))
	}
	if marks.Target {
		f.Tensors = append(f.Tensors, safetensors.NewFloat32("target", targets, n))
	}
	for key, v := range metadata {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		f.Metadata[key] = string(text)
	}
	return f
}

func (p *pass) key() string {
	if p.group != "" {
		return p.group
	}
	return fmt.Sprint(p.file, p.name)
}

// ramp is a recording of so many seconds.
func ramp(t *testing.T, rows int) string {
	var text strings.Builder
	text.WriteString("t,x,activity,subject,part,weight,side\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d,%s,s%d,%s,%d,R\n", i, i%1000, []string{"walk", "sit", ""}[i/7%3], i/1000, sensor.Splits[i/100%3], i%50)
	}
	file := filepath.Join(t.TempDir(), "ramp.csv")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	return file
}

// TestFeatureTableBytes: a table that went through a file is to the byte the one that is
// made in memory, with and without groups, marks and labels.
func TestFeatureTableBytes(t *testing.T) {
	long, short := ramp(t, 12345), ramp(t, 3)
	grouped := groupedConfig(t, long)
	two := grouped
	two.Features.Modalities = map[string]encoder.Definition{"move": grouped.Features.Modalities["move"], "more": grouped.Features.Modalities["move"]}
	plain := groupedConfig(t, "")
	s := &plain.Sensors[0]
	s.Group, s.Split, s.Target, s.Where, s.Label = "", "", "", nil, ""
	s.Channels = map[string]string{"x": "x"}
	for name, tc := range map[string]struct {
		config Config
		files  []string
	}{
		"room": {roomConfig(t, false), nil}, "grouped": {grouped, nil}, "two modalities": {two, nil}, "no labels": {plain, []string{short, long, short}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "room" {
				model, err := fusion.Load(roomModel)
				require.NoError(t, err)
				tc.config.Features, err = encoder.ParseFeatures([]byte(model.Features))
				require.NoError(t, err)
			}
			want, err := inMemory(t, tc.config, tc.files).Bytes()
			require.NoError(t, err)
			require.True(t, string(want) == string(tableBytes(t, tc.config, Environment{Notify: &notes{}}, tc.files)))
		})
	}
}

// TestFeatureTableMemory: the memory that a table takes does not grow with its tensors.
func TestFeatureTableMemory(t *testing.T) {
	const regions, some = 500, 1500
	peak := func(moments int) int64 {
		c := groupedConfig(t, ramp(t, moments))
		c.Sensors[0].Group, c.Sensors[0].Channels = "", map[string]string{"x": "x"}
		d := c.Features.Modalities["move"]
		d.Regions = regions
		c.Features.Modalities["move"] = d
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, most := 0, uint64(0)
		table, err := FeatureTable(t.Context(), c, Environment{Notify: &notes{}, OnInputs: func(*result.Result, []fusion.Regions) {
			if n++; n%500 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}}, nil, t.TempDir())
		require.NoError(t, err)
		defer table.Close()
		require.Equal(t, moments, table.Moments)
		require.Greater(t, table.Size(), int64(moments*regions*4))
		return int64(most) - int64(before.HeapAlloc)
	}
	one, eight := peak(some), peak(8*some)
	tensors := int64(7 * some * regions * 4)
	t.Logf("%d bytes for %d moments, %d for %d; %d more in the tensors", one, some, eight, 8*some, tensors)
	require.Less(t, eight-one, tensors/8)
}

// TestFeatureTableWithoutRoom: when the temporary file cannot be made, the rest is not
// replayed; and when the replay ends early, nothing is left.
func TestFeatureTableWithoutRoom(t *testing.T) {
	const moments = 30000
	c := groupedConfig(t, ramp(t, moments))
	c.Sensors[0].Group, c.Sensors[0].Channels = "", map[string]string{"x": "x"}
	seen := 0
	env := Environment{Notify: &notes{}, OnInputs: func(*result.Result, []fusion.Regions) { seen++ }}
	_, err := FeatureTable(t.Context(), c, env, nil, filepath.Join(t.TempDir(), "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "temporary file: open")
	require.Less(t, seen, moments)

	ctx, stop := context.WithCancel(t.Context())
	dir := t.TempDir()
	seen = 0
	env.OnInputs = func(*result.Result, []fusion.Regions) {
		if seen++; seen == moments/2 {
			stop()
		}
	}
	_, err = FeatureTable(ctx, c, env, nil, dir)
	require.True(t, errors.Is(err, context.Canceled), err)
	require.Less(t, seen, moments)
	requireEmpty(t, dir)
}
