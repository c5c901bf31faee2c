package protocol

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// workloads loads workloads by the value that they put out where 2 is right.
func workloads(name string) (*Workload, error) {
	out := map[string][]float32{
		"right": {1, 2}, "near": {1, 2.5}, "short": {1}, "nan": {1, float32(math.NaN())}, "inf": {1, float32(math.Inf(1))},
	}[name]
	if out == nil {
		return nil, errors.New("no workload " + name)
	}
	y := make([]float32, len(out))
	return &Workload{Run: func() { copy(y, out) }, Output: func() []float32 { return y }, Want: []float32{1, 2}}, nil
}

func TestServe(t *testing.T) {
	for _, tc := range []struct{ requests, want string }{
		{"load right", `{"error":0}`},
		{"load near", `{"error":0.25}`},
		{"load short", `{"failed":"the output has 1 values, want 2"}`},
		{"load nan", `{"failed":"the output is not finite"}`},
		{"load inf", `{"failed":"the output is not finite"}`},
		{"load W9", `{"failed":"no workload W9"}`},
		{"time right 0.1", `{"failed":"right is not loaded"}`},
		{"load right\ntime right", `{"failed":"time right: \"\": want seconds up to 60"}`},
		{"load right\ntime right -1", `{"failed":"time right: \"-1\": want seconds up to 60"}`},
		{"load right\ntime right NaN", `{"failed":"time right: \"NaN\": want seconds up to 60"}`},
		{"load right\ntime right 61", `{"failed":"time right: \"61\": want seconds up to 60"}`},
		{"stop", `{"failed":"request \"stop\": want load or time"}`},
		{"", `{"failed":"request \"\": want load or time"}`},
		{"stop\nload right", `{"error":0}`}, // a failure is not the end
	} {
		var out strings.Builder
		require.NoError(t, Serve(strings.NewReader(tc.requests+"\n"), &out, workloads))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, strings.Count(tc.requests, "\n")+1, tc.requests)
		require.JSONEq(t, tc.want, lines[len(lines)-1], tc.requests)
	}
}

func TestTime(t *testing.T) {
	runs := 0
	load := func(string) (*Workload, error) {
		y := []float32{0}
		run := func() { runs++; y[0] = float32(runs) }
		return &Workload{Run: run, Output: func() []float32 { return y }, Want: []float32{1}}, nil
	}
	var out strings.Builder
	require.NoError(t, Serve(strings.NewReader("load w\ntime w 1e-9\n"), &out, load))
	decoder := json.NewDecoder(strings.NewReader(out.String()))
	var first, second result
	require.NoError(t, decoder.Decode(&first))
	require.NoError(t, decoder.Decode(&second))
	require.Zero(t, first.Error)
	require.GreaterOrEqual(t, second.Runs, leastRuns, "a short time is no excuse")
	require.LessOrEqual(t, second.Runs, runs-1)
	require.LessOrEqual(t, second.MinNs, second.MedianNs)
	require.Equal(t, float64(runs-1), second.Error, "the error is of the last run")
}
