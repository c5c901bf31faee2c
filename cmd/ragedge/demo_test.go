package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

func TestDemoFigures(t *testing.T) {
	code, stdout, stderr := try(t, "demo", "--speed", "max", "--json")
	require.Zero(t, code, stderr)
	require.Equal(t, 1, strings.Count(stdout, "\n"))
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	var f figures
	require.NoError(t, d.Decode(&f))
	require.Equal(t, 760, f.Decisions)
	require.Equal(t, 752, f.Answered)
	require.InDelta(t, 730.0/752, f.Accuracy, 0.004)
	require.InDelta(t, 619.0/752, f.AccuracyMasked, 0.004)
	require.Positive(t, f.DecisionsPerSecond)
	require.Positive(t, f.P50Us)
	require.GreaterOrEqual(t, f.P99Us, f.P50Us)
	require.Positive(t, f.RSSMiB)
}

// TestDemoRecordingIsPacked: the program has in it what stands beside it for readers.
// Run with -args -update to write it.
func TestDemoRecordingIsPacked(t *testing.T) {
	text, err := os.ReadFile("room/room-demo.csv")
	require.NoError(t, err)
	if *update {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		require.NoError(t, err)
		_, err = z.Write(text)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(roomRecording, b.Bytes(), 0o644))
	}
	file, err := os.Open(roomRecording)
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	unpacked, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, string(text), string(unpacked))
}

// TestDemoTellsTheStory: a pipe gets plain lines, which say what happens.
func TestDemoTellsTheStory(t *testing.T) {
	code, stdout, stderr := try(t, "demo", "--speed", "max")
	require.Zero(t, code, stderr)
	require.NotContains(t, stdout, "\x1b", "a pipe gets no colour")
	for _, want := range []string{
		"16:50  light is gone: sensor light: unplugged",
		"18:05  light is back",
		"every sensor is gone: no data for more than 1m30s",
		"without light   82.3 %",
	} {
		require.Contains(t, stdout, want)
	}
	dark := regexp.MustCompile(`(?m)^ 17:\d\d  [23] people .*·····`)
	require.NotEmpty(t, dark.FindAllString(stdout, -1), "answers go on in the dark")
	require.Regexp(t, `(?m)^ \d\d:\d\d .* \d+%!`, stdout, "some answer hangs on one kind of sensor")
	for line := range strings.Lines(stdout) {
		require.LessOrEqual(t, len([]rune(line)), 100, line)
	}
}

func TestViewOnATerminal(t *testing.T) {
	var b bytes.Buffer
	v := &view{w: &b, color: true, right: func(*result.Result) bool { return true }}
	r := result.Result{
		Time: time.Date(2017, 12, 22, 13, 31, 0, 0, time.UTC), Label: "2 people", Probabilities: []float32{0.25, 0.75},
		Modalities: []result.Modality{{Name: "light", Share: 0.55, Present: true}, {Name: "co2", Share: 0.45, Present: true}},
	}
	v.show(&r)
	first := b.String()
	require.Contains(t, first, " 13:31  2 people    75% ✓ ")
	require.Contains(t, first, "██▊  \x1b[0m 55%", "2.75 cells in eighths")
	b.Reset()
	v.show(&r)
	require.NotContains(t, b.String(), "\n", "nothing new: only the live line changes")
	require.True(t, strings.HasPrefix(b.String(), "\r\x1b[K"))
	b.Reset()
	r.Modalities[0] = result.Modality{Name: "light", Reason: "unplugged"}
	v.show(&r)
	require.Contains(t, b.String(), "light is gone: unplugged")
	require.Contains(t, b.String(), "·····")
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		cells        float64
		plain, color string
	}{
		{0, ".....", "     "},
		{0.3, ".....", "▎    "},
		{1, "#....", "█    "},
		{2.5, "###..", "██▌  "},
		{5, "#####", "█████"},
		{5.2, "#####", "█████"},
	} {
		require.Equal(t, c.plain, (&view{}).bar(c.cells))
		require.Equal(t, c.color, (&view{color: true}).bar(c.cells))
	}
}

func TestQuantile(t *testing.T) {
	require.Equal(t, 2.0, quantile([]float64{1, 2, 3}, 0.5))
	require.Equal(t, 3.0, quantile([]float64{1, 2, 3}, 0.99))
	require.Zero(t, quantile(nil, 0.5))
}
