package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recordedRoom is a configuration of the room, and a recording that it made of the
// first rows.
func recordedRoom(t *testing.T) (config, recording string) {
	dir := t.TempDir()
	rows, err := os.ReadFile("room/room-demo.csv")
	require.NoError(t, err)
	short := filepath.Join(dir, "short.csv")
	require.NoError(t, os.WriteFile(short, []byte(strings.Join(strings.SplitAfter(string(rows), "\n")[:100], "")), 0o600))
	config = write(t, "room.toml", `[agent]
model = "`+absolute(t, "room/room.safetensors")+`"
[api]
listen = []
[record]
when = "always"
directory = "`+dir+`"
[[sensor]]
alias = "room"
type = "replay"
file = "`+short+`"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"
label = "Room_Occupancy_Count"
speed = "max"
[[sink]]
type = "file"
path = "`+filepath.Join(dir, "results.jsonl")+`"
`)
	code, _, errs := try(t, "run", "--config", config)
	require.Equal(t, exitOK, code, errs)
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	return config, files[0]
}

func TestReplay(t *testing.T) {
	config, recording := recordedRoom(t)
	dir := filepath.Dir(recording)
	results := filepath.Join(dir, "results.jsonl")
	model := "room/room.safetensors"

	code, out, errs := try(t, "replay", recording, "--model", model)
	require.Equal(t, exitOK, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	text, err := os.ReadFile(results)
	require.NoError(t, err)
	require.Len(t, lines, strings.Count(string(text), "\n"))
	require.Regexp(t, `^2017-12-22T\d\d:\d\d:\d\d\.\d{3}Z  \S+ .* light 0\.\d\d .*\(recorded: 3\)$`, lines[50])

	code, out, errs = try(t, "replay", recording, "--model", model, "--json")
	require.Equal(t, exitOK, code, errs)
	require.True(t, json.Valid([]byte(strings.Split(out, "\n")[50])))

	code, out, errs = try(t, "replay", recording, "--config", config, "--expect")
	require.Equal(t, exitOK, code, out+errs)
	require.Regexp(t, `^\d+ of \d+ Results compared \(\d+ bit for bit\), \d+ are the same\n$`, out)

	for _, args := range [][]string{{recording, "--model", model}, {"--config", config}} {
		code, out, errs = try(t, append([]string{"replay", "--expect=" + results, "--json"}, args...)...)
		require.Equal(t, exitOK, code, out+errs)
		var report struct {
			OK       bool
			Compared int
		}
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		require.True(t, report.OK)
		require.Equal(t, len(lines), report.Compared)
	}

	other := strings.Replace(string(text), `"rows":8`, `"rows":7`, 1)
	code, out, errs = try(t, "replay", "--config", config, "--expect="+write(t, "other.jsonl", other))
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "first difference: Result ")
	require.Contains(t, out, "rows: expected 7, got 8")
	require.Contains(t, errs, "not what was expected")
}

func TestReplayRefuses(t *testing.T) {
	model := "room/room.safetensors"
	bad := write(t, "bad.mcap", "no recording")
	for want, c := range map[string]struct {
		code int
		args []string
	}{
		"are needed":                     {exitUsage, []string{"x.mcap"}},
		"--tolerance: want":              {exitUsage, []string{"x.mcap", "--model", model, "--tolerance", "1"}},
		"gone.mcap":                      {exitData, []string{"gone.mcap", "--model", model}},
		"not a readable":                 {exitData, []string{bad, "--model", model}},
		"--expect: open gone":            {exitData, []string{bad, "--model", model, "--expect=gone"}},
		`speed: "fast"`:                  {exitConfig, []string{bad, "--model", model, "--speed", "fast"}},
		"gone.safetensors":               {exitConfig, []string{bad, "--model", "gone.safetensors"}},
		"line 1 of the expected Results": {exitData, []string{bad, "--model", model, "--expect=" + bad}},
	} {
		code, _, errs := try(t, append([]string{"replay"}, c.args...)...)
		require.Contains(t, errs, want)
		require.Equal(t, c.code, code, errs)
	}
}
