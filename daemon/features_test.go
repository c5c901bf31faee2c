package daemon

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// TestFeatureTableIsWhatTheModelSees: a model that is run on the table gives the
// probabilities that it gave in the replay.
func TestFeatureTableIsWhatTheModelSees(t *testing.T) {
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	dir := t.TempDir()
	seen := &results{}
	c := roomConfig(t, false)
	recorded := c
	recorded.Record = recordTo(dir)
	d, err := New(recorded, Environment{Model: model, OnResult: seen.add, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(context.Background()))

	table := tableFile(t, c, Environment{Model: model, Notify: &notes{}}, nil)
	var labels []string
	require.NoError(t, json.Unmarshal([]byte(table.Metadata["labels"]), &labels))
	require.Equal(t, []string{"0", "1", "2", "3"}, labels)
	truths, err := table.Tensor("label").Int64s()
	require.NoError(t, err)
	require.Len(t, truths, 752)
	input := &safetensors.File{}
	for _, tensor := range table.Tensors {
		if n := tensor.Name; n != "label" && n != "group" && n != "time_ns" {
			input.Tensors = append(input.Tensors, tensor)
		}
	}
	out, err := model.NewState().FuseFile(input)
	require.NoError(t, err)
	probabilities, err := out.Tensor("probabilities").Float32s()
	require.NoError(t, err)
	i := 0
	for _, r := range seen.all {
		if r.Reason != "" {
			continue
		}
		require.Equal(t, r.Probabilities, probabilities[4*i:4*i+4], i)
		require.Equal(t, r.Truth, labels[truths[i]], i)
		i++
	}
	require.Equal(t, 752, i)

	// The same, from the recording and with the model's features but no model.
	features, err := encoder.ParseFeatures([]byte(model.Features))
	require.NoError(t, err)
	alone := quiet()
	alone.Features = features
	tape := filepath.Join(dir, "*.mcap")
	twice := tableFile(t, alone, Environment{Notify: &notes{}}, []string{tape, tape})
	for name := range features.Modalities {
		want, err := table.Tensor(name).Float32s()
		require.NoError(t, err)
		got, err := twice.Tensor(name).Float32s()
		require.NoError(t, err)
		require.Equal(t, append(want, want...), got, name)
	}
	groups, err := twice.Tensor("group").Int64s()
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1}, []int64{groups[751], groups[752]})
	again, err := encoder.ParseFeatures([]byte(twice.Metadata["features"]))
	require.NoError(t, err)
	require.Empty(t, again.Difference(features))
}

func TestFeatureTableRefuses(t *testing.T) {
	_, err := FeatureTable(t.Context(), quiet(lightSensor()), Environment{Model: tinyModel(t, twoFeatures)}, nil, t.TempDir())
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "live")
	_, err = FeatureTable(t.Context(), roomConfig(t, false), Environment{}, nil, t.TempDir())
	require.ErrorContains(t, err, "features.tick")
	push := roomConfig(t, false)
	push.Features = encoder.Features{Tick: encoder.Duration(tinyTick), Modalities: map[string]encoder.Definition{"text": {Encoder: encoder.Push, Regions: 2}}}
	_, err = FeatureTable(t.Context(), push, Environment{}, nil, t.TempDir())
	require.ErrorContains(t, err, "features.modality.text")
	bad := filepath.Join(t.TempDir(), "x.mcap")
	require.NoError(t, os.WriteFile(bad, nil, 0o600))
	_, err = FeatureTable(t.Context(), quiet(sensor.Config{}), Environment{Model: tinyModel(t, twoFeatures)}, []string{bad}, t.TempDir())
	require.ErrorIs(t, err, ErrData)
}
