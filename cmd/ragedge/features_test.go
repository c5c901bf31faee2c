package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "room.toml")
	require.NoError(t, os.WriteFile(config, []byte(`[agent]
model = "`+absolute(t, "room/room.safetensors")+`"
[[sensor]]
alias = "room"
type = "replay"
file = "`+absolute(t, "room/room-demo.csv")+`"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"
label = "Room_Occupancy_Count"
`), 0o600))
	var out bytes.Buffer
	to := filepath.Join(dir, "x.safetensors")
	require.Equal(t, exitOK, run(context.Background(), []string{"features", config, "-o", to}, &out, &out), "%s", &out)
	file, err := safetensors.ReadFile(to)
	require.NoError(t, err)
	require.Equal(t, []int{752, 8, 4}, file.Tensor("light").Shape)
	require.Equal(t, `["0","1","2","3"]`, file.Metadata["labels"])
	require.Equal(t, exitUsage, run(context.Background(), []string{"features", config}, &out, &out))
}

func absolute(t *testing.T, path string) string {
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}
