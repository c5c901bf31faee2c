package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

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
