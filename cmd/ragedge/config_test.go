package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConfigVerbs: what default prints can be checked and shown, what show prints
// can be read back, and schema is JSON.
func TestConfigVerbs(t *testing.T) {
	code, text, _ := try(t, "config", "default")
	require.Zero(t, code)
	file := write(t, "ragedge.toml", text)
	code, stdout, stderr := try(t, "config", "check", "--config", file)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "ok, 0 sensors, 0 sinks")

	// FILE.d is read without being named.
	drop := filepath.Join(filepath.Dir(file), "ragedge.d", "10-sink.toml")
	require.NoError(t, os.Mkdir(filepath.Dir(drop), 0o755))
	require.NoError(t, os.WriteFile(drop, []byte("[[sink]]\ntype = \"file\"\npath = \"${RAGEDGE_TEST_OUT}/out.jsonl\"\n"), 0o644))
	code, _, stderr = try(t, "config", "show", "--config", file)
	require.Equal(t, exitConfig, code)
	require.Contains(t, stderr, drop+": 3:8: sink[0].path: environment variable RAGEDGE_TEST_OUT is not set")

	t.Setenv("RAGEDGE_TEST_OUT", "/srv/secret")
	code, shown, stderr := try(t, "config", "show", "--config", file)
	require.Zero(t, code, stderr)
	require.Contains(t, shown, "path = \"${RAGEDGE_TEST_OUT}/out.jsonl\"")
	require.NotContains(t, shown, "secret")
	code, again, stderr := try(t, "config", "show", "--config", write(t, "shown.toml", shown))
	require.Zero(t, code, stderr)
	require.Equal(t, shown, again)

	code, text, _ = try(t, "config", "schema")
	require.Zero(t, code)
	require.True(t, json.Valid([]byte(text)))
}
