package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

func TestLabelAndRecord(t *testing.T) {
	s := newSite(t)
	s.put(t, "ragedge.toml", append(s.read(t, "ragedge.toml"), "[record]\nwhen = \"api\"\nflight = \"10m\"\ndirectory = \"recordings\"\ndurable = \"record\"\n"...))
	s.run(t)
	call := func(want int, args ...string) string {
		var out bytes.Buffer
		require.Equal(t, want, run(context.Background(), append(args, "--config", s.config), &out, &out), "%v: %s", args, &out)
		return out.String()
	}
	call(exitOK, "record", "start")
	call(exitOK, "label", "2 people")
	call(exitOK, "label", "empty", "--from", "10m", "--to", "5m")
	require.Contains(t, call(exitFailed, "label", "empty", "--from", "5m", "--to", "10m"), "to is not after from")
	call(exitUsage, "label", "empty", "--from", "noon")
	call(exitUsage, "label")
	running := func() string { return s.wait(t, func(*api.Status) bool { return true }).Record.Label }
	require.Equal(t, "2 people", running())
	require.Contains(t, call(exitUsage, "label", "empty", "--end"), `takes none, got "empty"`)
	require.Contains(t, call(exitUsage, "label", "--end", "--to", "5m"), "--end and --to exclude each other")
	call(exitUsage, "label", "--end", "--from", "noon")
	require.Equal(t, "2 people", running(), "none of that ended it")
	call(exitOK, "label", "--end")
	require.Empty(t, running())
	call(exitOK, "label", "--end", "--from", "5m", "--source", "me")
	call(exitOK, "record", "stop")
	call(exitOK, "record", "flight")
	require.Contains(t, call(exitFailed, "record", "flight"), "at most one in 10m")
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(s.dir, "recordings", "*-flight*.mcap"))
		return len(files) == 1
	}, 5*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(s.dir, "recordings", "*-0*.labels.mcap"))
		return len(files) == 1
	}, 5*time.Second, 5*time.Millisecond)
	files, err := filepath.Glob(filepath.Join(s.dir, "recordings", "*-0*.labels.mcap"))
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Regexp(t, `"label":"","from_ns":-?\d+,"source":"cli"`, string(content))
	require.Regexp(t, `"label":"","from_ns":-?\d+,"source":"me"`, string(content))
}

func TestLabelWithoutDaemon(t *testing.T) {
	s := newSite(t)
	var out bytes.Buffer
	require.Equal(t, exitTryAgain, run(context.Background(), []string{"label", "x", "--config", s.config}, &out, &out))
	require.Contains(t, out.String(), "no daemon answers")
}

func TestReadMoment(t *testing.T) {
	now := time.Date(2026, 5, 1, 15, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "15m": now.Add(-15 * time.Minute), "2026-05-01T14:30:00Z": now.Add(-30 * time.Minute),
	} {
		got, err := readMoment(text, now)
		require.NoError(t, err)
		require.True(t, want.Equal(got), text)
	}
	for _, text := range []string{"-5m", "noon", "2026"} {
		_, err := readMoment(text, now)
		require.Error(t, err, text)
	}
}
