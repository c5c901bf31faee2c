package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/bench"
	"github.com/stretchr/testify/require"
)

func TestBenchExitCodes(t *testing.T) {
	room, err := os.ReadFile("room/room.safetensors")
	require.NoError(t, err)
	broken := write(t, "broken.safetensors", string(room[:300]))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string // in stderr
	}{
		{"no time", []string{"--time", "0s"}, exitUsage, "--time 0s: want more than 0"},
		{"negative time", []string{"--time", "-1s"}, exitUsage, "--time -1s: want more than 0"},
		{"bad time", []string{"--time", "long"}, exitUsage, "--time"},
		{"two forms", []string{"--json", "--markdown"}, exitUsage, "exclude each other"},
		{"input alone", []string{"--input", broken}, exitUsage, "--input needs --model"},
		{"argument", []string{"W1"}, exitUsage, `takes no arguments, got "W1"`},
		{"unknown flag", []string{"--fast"}, exitUsage, "unknown flag: --fast"},
		{"broken model", []string{"--model", broken}, exitData, broken},
		{"no model", []string{"--model", "gone.safetensors"}, exitFailed, "gone.safetensors"},
		{"broken input", []string{"--model", "room/room.safetensors", "--input", broken}, exitData, "input"},
		{"no input", []string{"--model", "room/room.safetensors", "--input", "gone.safetensors"}, exitFailed, "gone.safetensors"},
		{"another model's input", []string{"--model", "room/room.safetensors", "--input", golden + "/defaults/input.safetensors"}, exitData, "input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := try(t, append([]string{"bench"}, c.args...)...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.want)
			require.Empty(t, stdout)
		})
	}
}

// TestBenchModelJSON: one object with the documented keys and nothing else, but a
// reason when the machine throttled.
func TestBenchModelJSON(t *testing.T) {
	code, stdout, stderr := try(t, "bench", "--model", "room/room.safetensors", "--time", "20ms", "--json")
	require.Zero(t, code, stderr)
	require.Equal(t, 1, strings.Count(stdout, "\n"))
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &keys))
	delete(keys, "throttled")
	require.Equal(t, []string{"allocs", "gflops", "kernel_set", "median_us", "min_us", "model", "peak_gflops", "threads"},
		slices.Sorted(maps.Keys(keys)))

	var b modelBench
	require.NoError(t, json.Unmarshal([]byte(stdout), &b))
	require.Equal(t, "room/room.safetensors", b.Model)
	require.Equal(t, ragedge.KernelSet(), b.KernelSet)
	require.Equal(t, 1, b.Threads)
	require.Positive(t, b.MinUs)
	require.LessOrEqual(t, b.MinUs, b.MedianUs)
	require.Positive(t, b.GFLOPS)
	require.Positive(t, b.PeakGFLOPS)
	require.Zero(t, b.Allocs)
}

// TestBenchForms: the same run as text, Markdown and JSON; progress apart from it.
func TestBenchForms(t *testing.T) {
	input := golden + "/identity_ragged/input.safetensors"
	code, stdout, stderr := try(t, "bench", "--model", golden+"/identity_ragged/model.safetensors", "--input", input, "--time", "1ms")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "multiply-adds, "+ragedge.KernelSet())
	require.Contains(t, stdout, "identity_ragged/model.safetensors")
	require.Equal(t, "measuring the machine, 0 of 2 steps done\nmeasuring the models, 1 of 2 steps done\n", stderr)

	code, stdout, stderr = try(t, "bench", "--markdown", "--time", "1ms")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "| W1 sensors | ")

	code, stdout, stderr = try(t, "bench", "--json", "--time", "1ms")
	require.Zero(t, code, stderr)
	var r bench.Report
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&r))
	require.Equal(t, ragedge.KernelSet(), r.KernelSet)
	require.Len(t, r.Models, 8)
}

func TestThrottledModelJSON(t *testing.T) {
	r := &bench.Report{Throttled: []string{"undervoltage"}, Models: []bench.Figure{{Name: "m", MinUs: 1, MedianUs: 2, GFLOPS: 3, Allocs: 4}},
		KernelSet: "neon", Threads: 1, Peaks: []bench.Peak{{KernelSet: "generic", GFLOPS: 5}, {KernelSet: "neon", GFLOPS: 6}}}
	text, err := json.Marshal(newModelBench(r))
	require.NoError(t, err)
	require.JSONEq(t, `{"model":"m","kernel_set":"neon","threads":1,"min_us":1,"median_us":2,"gflops":3,"peak_gflops":6,"allocs":4,
		"throttled":["undervoltage"]}`, string(text))
}

func TestBenchProgress(t *testing.T) {
	var w bytes.Buffer
	p := progress{w: &w, terminal: true}
	p.clear()
	require.Empty(t, w.String())
	p.show("kernels", "dot 32", 3, 20)
	p.show("kernels", "dot 768", 4, 20)
	p.clear()
	require.Equal(t, "\r\x1b[K4/20 dot 32\r\x1b[K5/20 dot 768\r\x1b[K", w.String())

	w.Reset()
	p = progress{w: &w}
	p.show("kernels", "dot 32", 3, 20)
	p.show("kernels", "dot 768", 4, 20)
	p.show("models", "W1", 14, 20)
	p.clear()
	require.Equal(t, "measuring the kernels, 3 of 20 steps done\nmeasuring the models, 14 of 20 steps done\n", w.String())
}
