package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

const question = "../../examples/question"

// python runs a script with the interpreter that RAGEDGE_PYTHON names, which has
// the packages of the example.
func python(t *testing.T, arguments ...string) []byte { return pythonIn(t, "", arguments...) }

// pythonIn runs it in another folder.
func pythonIn(t *testing.T, dir string, arguments ...string) []byte {
	interpreter := os.Getenv("RAGEDGE_PYTHON")
	if interpreter == "" {
		t.Skip("RAGEDGE_PYTHON names no interpreter that has PyTorch and transformers")
	}
	interpreter, err := filepath.Abs(interpreter)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), interpreter, arguments...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "PYTHONDONTWRITEBYTECODE=1")
	var errors bytes.Buffer
	c.Stderr = &errors
	out, err := c.Output()
	require.NoError(t, err, "%s", &errors)
	return out
}

// A Python process sends the token states of BERT and the patch states of ViT, and
// gets decisions about both.
func TestPythonAsksQuestions(t *testing.T) {
	dir := t.TempDir()
	python(t, question+"/model.py", filepath.Join(dir, "question.safetensors"))
	config, err := os.ReadFile(question + "/ragedge.toml")
	require.NoError(t, err)
	socket := filepath.Join(dir, "api.sock")
	s := &site{dir: dir}
	s.config = s.put(t, "ragedge.toml", bytes.Replace(config, []byte("ragedge.sock"), []byte(socket), 1))
	s.client, err = newAPIClient(api.Config{Listen: []string{"unix:" + socket}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"run", "--config", s.config}, &log, &log) }()
	s.wait(t, func(*api.Status) bool { return true })

	picture := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range 60 * 40 {
		picture.Set(i%60, i/60, color.RGBA{uint8(4 * (i % 60)), uint8(6 * (i / 60)), 90, 255})
	}
	var text bytes.Buffer
	require.NoError(t, png.Encode(&text, picture))
	file := s.put(t, "room.png", text.Bytes())
	out := python(t, question+"/question.py", "--random", "--socket", socket, "--picture", file,
		"is somebody there?", "is the lamp on, or was it on a moment ago?", "is somebody there?")

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 3)
	answers := make([]result.Result, 3)
	for i, line := range lines {
		r := &answers[i]
		require.NoError(t, json.Unmarshal([]byte(line), r))
		require.Contains(t, []string{"yes", "no"}, r.Label)
		require.EqualValues(t, i+1, r.Seq)
		words, patches := &r.Modalities[0], &r.Modalities[1]
		require.Equal(t, []int{3, 11, 3}[i], words.Rows)
		require.Equal(t, 16, patches.Rows, "the picture stays in force")
		require.InDelta(t, 1, words.Share+patches.Share, 1e-6)
		require.Positive(t, patches.Share)
	}
	require.Equal(t, answers[0].Probabilities, answers[2].Probabilities, "the same question about the same picture")
	require.NotEqual(t, answers[0].Probabilities, answers[1].Probabilities)
	require.Greater(t, answers[2].Modalities[1].Age, answers[0].Modalities[1].Age)

	cancel()
	require.Zero(t, <-ended, "%s", &log)
}
