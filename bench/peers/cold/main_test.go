package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	folder, golden := t.TempDir(), "../../../fusion/testdata/golden/identity_mean/"
	model, err := os.ReadFile(golden + "model.safetensors")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(folder+"/W.safetensors", model, 0o644))
	m, err := fusion.Parse(model)
	require.NoError(t, err)
	in, err := safetensors.ReadFile(golden + "input.safetensors")
	require.NoError(t, err)
	for i, modality := range m.Config.Modalities {
		values, err := in.Tensor(modality.Name).Float32s()
		require.NoError(t, err)
		var data []byte
		for _, v := range values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		require.NoError(t, os.WriteFile(folder+"/W."+strconv.Itoa(i)+".f32", data, 0o644))
	}

	var out strings.Builder
	require.NoError(t, run(folder, "W", &out))
	var logits []float32
	require.NoError(t, json.Unmarshal([]byte(out.String()), &logits))
	file, err := safetensors.ReadFile(golden + "output.safetensors")
	require.NoError(t, err)
	want, err := file.Tensor("logits").Float32s()
	require.NoError(t, err)
	require.InDeltaSlice(t, want, logits, 1e-5)

	require.NoError(t, os.WriteFile(folder+"/W.1.f32", []byte("short"), 0o644))
	require.ErrorContains(t, run(folder, "W", &out), "W.1.f32: 5 bytes, want")
	require.ErrorIs(t, run(folder, "V", &out), os.ErrNotExist)
}
