package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// tolerance is that of rounds.py.
const tolerance = 1e-5

// lay writes a golden case of package fusion as the workload of that name, and
// returns the folder. output names the tensor that the workload puts out.
func lay(t *testing.T, name, output string) string {
	folder, golden := t.TempDir(), filepath.Join("../../../fusion/testdata/golden", name)
	model, err := os.ReadFile(filepath.Join(golden, "model.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".safetensors"), model, 0o644))
	m, err := fusion.Parse(model)
	require.NoError(t, err)
	in, err := safetensors.ReadFile(filepath.Join(golden, "input.safetensors"))
	require.NoError(t, err)
	out, err := safetensors.ReadFile(filepath.Join(golden, "output.safetensors"))
	require.NoError(t, err)
	for i, modality := range m.Config.Modalities {
		write(t, folder, name+"."+strconv.Itoa(i), tensor(t, in, modality.Name))
	}
	write(t, folder, name+".out", tensor(t, out, output))
	return folder
}

func tensor(t *testing.T, file *safetensors.File, name string) []float32 {
	require.NotNil(t, file.Tensor(name), name)
	values, err := file.Tensor(name).Float32s()
	require.NoError(t, err)
	return values
}

func write(t *testing.T, folder, name string, values []float32) {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, name+".f32"), data, 0o644))
}

// ask returns the answers of a worker on a kernel set.
func ask(t *testing.T, set, folder string, requests ...string) []map[string]any {
	before := ragedge.KernelSet()
	defer func() { require.NoError(t, ragedge.Use(before)) }()
	var out strings.Builder
	require.NoError(t, run(set, folder, strings.NewReader(strings.Join(requests, "\n")), &out))
	var answers []map[string]any
	for line := range strings.Lines(out.String()) {
		var a map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &a), line)
		answers = append(answers, a)
	}
	require.Len(t, answers, len(requests))
	return answers
}

// requireRight loads and times the workload on every kernel set.
func requireRight(t *testing.T, folder, workload string) {
	for _, set := range ragedge.KernelSets() {
		for _, a := range ask(t, set, folder, "load "+workload, "time "+workload+" 0.001") {
			require.NotContains(t, a, "failed", set)
			require.Less(t, a["error"], tolerance, set)
		}
	}
}

func TestModels(t *testing.T) {
	requireRight(t, lay(t, "identity_mean", "logits"), "identity_mean")
	requireRight(t, lay(t, "seed_formula", "z"), "seed_formula")
}

func TestKernels(t *testing.T) {
	folder := t.TempDir()
	x, w := ramp(128*768), ramp(256*768)
	var products []float32
	for i := range 128 {
		for j := range 256 {
			sum := 0.0
			for k := range 768 {
				sum += float64(x[i*768+k]) * float64(w[j*768+k])
			}
			products = append(products, float32(sum))
		}
	}
	write(t, folder, "matmul.0", x)
	write(t, folder, "matmul.1", w)
	write(t, folder, "matmul.out", products)

	x = x[:128*197]
	var shares []float32
	for i := 0; i < len(x); i += 197 {
		sum := 0.0
		for _, v := range x[i : i+197] {
			sum += math.Exp(float64(v))
		}
		for _, v := range x[i : i+197] {
			shares = append(shares, float32(math.Exp(float64(v))/sum))
		}
	}
	write(t, folder, "softmax.0", x)
	write(t, folder, "softmax.out", shares)

	for _, name := range []string{"matmul", "softmax", "empty", "fma"} {
		requireRight(t, folder, name)
	}
}

// ramp returns values in [-1, 1] without a pattern that a row repeats.
func ramp(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i*7919%1999)/999.5 - 1
	}
	return values
}

func TestWrongFiles(t *testing.T) {
	folder := lay(t, "identity_mean", "logits")
	path := filepath.Join(folder, "identity_mean")
	failed := func() any { return ask(t, ragedge.KernelSet(), folder, "load identity_mean")[0]["failed"] }

	write(t, folder, "identity_mean.out", []float32{1, 2})
	require.Equal(t, "the output has 3 values, want 2", failed())
	write(t, folder, "identity_mean.1", []float32{1})
	require.Contains(t, failed(), "identity_mean.1.f32: 4 bytes, want")
	require.NoError(t, os.WriteFile(path+".safetensors", []byte("no model"), 0o644))
	require.Contains(t, failed(), "identity_mean.safetensors")
	require.NoError(t, os.Remove(path+".out.f32"))
	require.Contains(t, failed(), "identity_mean.out.f32")
	require.ErrorContains(t, run("mmx", folder, strings.NewReader(""), &strings.Builder{}), `kernel set "mmx"`)
}
