package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

const golden = "../../fusion/testdata/golden"

// try runs the command line in this process.
func try(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// TestExitCodes: every way to go wrong has its code and a message that names the
// file, key or flag.
func TestExitCodes(t *testing.T) {
	cut, err := os.ReadFile("room/room.safetensors")
	require.NoError(t, err)
	broken := write(t, "broken.safetensors", string(cut[:300]))
	badModel := write(t, "bad-model.toml", "[agent]\nmodel = \""+broken+"\"\n")
	badKey := write(t, "bad-key.toml", "[agent]\nmodle = \"x\"\n")
	noModel := write(t, "no-model.toml", "[agent]\nmodel = \"gone.safetensors\"\n")
	badRecording := write(t, "bad.csv", "t,v\nnoon,1\n")
	badReplay := write(t, "bad-replay.toml", fmt.Sprintf(
		"[api]\nlisten = []\n[[sensor]]\nalias = \"r\"\ntype = \"replay\"\nfile = %q\ntime = [\"t\"]\nformat = \"15:04\"\n", badRecording))
	silent := write(t, "silent.toml", "[api]\nlisten = []\n[[sensor]]\nalias = \"p\"\ntype = \"push\"\nchannels = { x = \"x\" }\n[features]\ntick = \"10ms\"\n"+
		"[features.modality.m]\nencoder = \"window\"\nchannels = [\"x\"]\nregions = 1\nevery = \"10ms\"\nfunctions = [\"last\"]\n")

	for _, c := range []struct {
		name string
		args []string
		code int
		want string // in stderr
	}{
		{"no verb", nil, exitOK, ""},
		{"unknown verb", []string{"frobnicate"}, exitUsage, `unknown command "frobnicate"`},
		{"unknown flag", []string{"run", "--nope"}, exitUsage, "unknown flag: --nope"},
		{"stray argument", []string{"version", "now"}, exitUsage, `takes no arguments, got "now"`},
		{"missing argument", []string{"inspect"}, exitUsage, "wants one argument, the model file"},
		{"missing flag", []string{"run"}, exitUsage, "--config is missing"},
		{"unknown kernels", []string{"--cpu", "mmx", "version"}, exitUsage, `kernel set "mmx"`},
		{"demo speed", []string{"demo", "--speed", "0"}, exitUsage, "--speed 0"},
		{"once and test", []string{"run", "--config", silent, "--once", "--test"}, exitUsage, "exclude"},
		{"inspect a broken model", []string{"inspect", broken}, exitData, broken},
		{"inspect nothing", []string{"inspect", "gone.safetensors"}, exitFailed, "gone.safetensors"},
		{"fuse with a broken model", []string{"fuse", "--model", broken, "--input", broken}, exitData, broken},
		{"fuse with a broken input", []string{"fuse", "--model", "room/room.safetensors", "--input", broken}, exitData, "input"},
		{"fuse with another model's input", []string{"fuse", "--model", "room/room.safetensors", "--input", golden + "/defaults/input.safetensors"}, exitData, "input"},
		{"a model with blocks", []string{"inspect", golden + "/hybrid/model.safetensors"}, exitOK, ""},
		{"run without a file", []string{"run", "--config", "gone.toml"}, exitConfig, "gone.toml"},
		{"run with an unknown key", []string{"run", "--config", badKey}, exitConfig, "2:1: unknown key agent.modle (did you mean model?)"},
		{"run with a missing model", []string{"run", "--config", noModel}, exitConfig, "gone.safetensors"},
		{"run with a broken model", []string{"run", "--config", badModel}, exitData, broken},
		{"run with a broken recording", []string{"run", "--config", badReplay}, exitData, badRecording + ":2: column t"},
		{"no sensor answers", []string{"run", "--config", silent, "--test"}, exitTryAgain, "no sensor delivered anything"},
		{"check an unknown key", []string{"config", "check", "--config", badKey}, exitConfig, "did you mean model?"},
		{"check a broken model", []string{"config", "check", "--config", badModel}, exitData, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := try(t, c.args...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.want)
			require.Equal(t, c.code != exitOK, strings.HasPrefix(stderr, "ragedge: ") || strings.Contains(stderr, "\nragedge: "))
		})
	}
}

// TestEveryVerbExplainsItself walks the command tree.
func TestEveryVerbExplainsItself(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.Contains(t, c.Example, c.CommandPath())
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		code, stdout, _ := try(t, args...)
		require.Zero(t, code)
		require.Contains(t, stdout, "Examples:")
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

func TestConfigCheck(t *testing.T) {
	code, stdout, _ := try(t, "config", "check", "--config", "../../examples/replay.toml")
	require.Zero(t, code)
	require.Contains(t, stdout, "ok, 1 sensors, 1 sinks")
	require.NotContains(t, stdout, "warning")
	code, stdout, _ = try(t, "config", "check", "--config", "../../examples/ragedge.toml")
	require.Zero(t, code, "a model that is not on this machine is no error")
	require.Contains(t, stdout, "warning: configuration: agent.model: ")

	code, stdout, _ = try(t, "config", "check", "--config", "../../examples/mqtt.toml")
	require.Zero(t, code, "nor is a password")
	require.Contains(t, stdout, "warning: configuration: sink 1: password_file: ")
	readable := filepath.Join(t.TempDir(), "mqtt.password")
	require.NoError(t, os.WriteFile(readable, []byte("x"), 0o600))
	require.NoError(t, os.Chmod(readable, 0o644))
	config := filepath.Join(filepath.Dir(readable), "c.toml")
	require.NoError(t, os.WriteFile(config, []byte("[[sink]]\ntype = \"mqtt\"\nurl = \"mqtt://b\"\nusername = \"u\"\npassword_file = \"mqtt.password\"\n"), 0o600))
	code, _, stderr := try(t, "config", "check", "--config", config)
	require.Equal(t, 78, code)
	require.Contains(t, stderr, "sink 1: password_file: "+readable+": mode 0644 opens it to everybody")
}

func TestRunReplaysTheExample(t *testing.T) {
	code, stdout, stderr := try(t, "run", "--config", "../../examples/replay.toml")
	require.Zero(t, code, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 760)
	for _, line := range lines {
		require.True(t, json.Valid([]byte(line)), line)
	}
	code, stdout, stderr = try(t, "run", "--config", "../../examples/replay.toml", "--once")
	require.Zero(t, code, stderr)
	require.Equal(t, lines[0]+"\n", stdout)
}

func TestRunTestPrintsReadings(t *testing.T) {
	code, stdout, stderr := try(t, "run", "--config", "../../examples/replay.toml", "--test")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "13:31:02.000 recording S1_Temp=26.06 S2_Temp=27.56")
	require.NotContains(t, stdout, "probabilities")
}

func TestFuse(t *testing.T) {
	model, input := golden+"/identity_ragged/model.safetensors", golden+"/identity_ragged/input.safetensors"
	code, stdout, stderr := try(t, "fuse", "--model", model, "--input", input)
	require.Zero(t, code, stderr)
	var printed map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &printed))

	output := filepath.Join(t.TempDir(), "out.safetensors")
	code, stdout, stderr = try(t, "fuse", "--model", model, "--input", input, "--output", output)
	require.Zero(t, code, stderr)
	require.Empty(t, stdout)
	file, err := safetensors.ReadFile(output)
	require.NoError(t, err)
	want, err := safetensors.ReadFile(golden + "/identity_ragged/output.safetensors")
	require.NoError(t, err)
	require.Len(t, printed, len(want.Tensors))
	for _, w := range want.Tensors {
		got := file.Tensor(w.Name)
		require.NotNil(t, got, w.Name)
		require.Equal(t, w.Shape, got.Shape, w.Name)
		values, err := got.Float32s()
		require.NoError(t, err)
		require.Equal(t, flatten(printed[w.Name]), values, "the JSON holds the same numbers")
		expected, err := w.Float32s()
		require.NoError(t, err)
		require.InDeltaSlice(t, expected, values, 1e-4, w.Name)
	}
}

// flatten turns nested JSON arrays into their numbers in order.
func flatten(v any) (all []float32) {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []float32{float32(v.(float64))}
}

func TestInspect(t *testing.T) {
	code, stdout, _ := try(t, "inspect", "room/room.safetensors", "--json")
	require.Zero(t, code)
	var in inspection
	require.NoError(t, json.Unmarshal([]byte(stdout), &in))
	model, err := fusion.Load("room/room.safetensors")
	require.NoError(t, err)
	require.Equal(t, model.Digest, in.Digest)
	require.Equal(t, model.Config, in.Config)
	require.JSONEq(t, model.Features, string(in.Features))
	require.Len(t, in.Tensors, 34)
	require.Positive(t, in.StateBytes)

	code, stdout, _ = try(t, "inspect", "room/room.safetensors")
	require.Zero(t, code)
	for _, want := range []string{in.Digest, "light: up to 8 regions of 4 features", "gate.weight", "5×160", "empty, 1 person"} {
		require.Contains(t, stdout, want)
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := try(t, "version", "--json")
	require.Zero(t, code)
	var b build
	require.NoError(t, json.Unmarshal([]byte(stdout), &b))
	require.Equal(t, thisBuild(), b)
	require.Equal(t, ragedge.KernelSet(), b.KernelSet)
}
