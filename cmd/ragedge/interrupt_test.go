package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// interruptingWriter breaks a command off as soon as it writes.
type interruptingWriter struct {
	bytes.Buffer
	interrupt context.CancelFunc
}

func (w *interruptingWriter) Write(p []byte) (int, error) {
	w.interrupt()
	return w.Buffer.Write(p)
}

// TestInterruptedQuietly: who presses Ctrl-C need not be told of it, and a script sees
// that the work is not done.
func TestInterruptedQuietly(t *testing.T) {
	config, recording := recordedRoom(t)
	groups := write(t, "groups.toml", strings.ReplaceAll(string(mustRead(t, config)), "speed = \"max\"", "group = \"S6_PIR\""))
	table := filepath.Join(t.TempDir(), "x.safetensors")
	for name, args := range map[string][]string{
		"demo":            {"demo", "--speed", "max"},
		"demo figures":    {"demo", "--json"},
		"replay":          {"replay", recording, "--model", "room/room.safetensors"},
		"features":        {"features", config, recording, "-o", table},
		"features groups": {"features", groups, "-o", table},
		"eval":            {"eval", "room/room.safetensors", recording},
		"train":           {"train", roomTask(t, ""), "--data", "room", "--out", t.TempDir()},
		"bench":           {"bench", "--time", "1s"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var out, errs bytes.Buffer
			require.Equal(t, exitInterrupted, run(ctx, args, &out, &errs), "%s", &errs)
			require.Empty(t, errs.String())
		})
	}
	require.NoFileExists(t, table)
	t.Run("in the middle of the demo", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := interruptingWriter{interrupt: cancel}
		var errs bytes.Buffer
		require.Equal(t, exitInterrupted, run(ctx, []string{"demo"}, &out, &errs))
		require.Empty(t, errs.String())
		require.Contains(t, out.String(), "A room on 22 December")
		require.NotContains(t, out.String(), "p99")
	})
}
