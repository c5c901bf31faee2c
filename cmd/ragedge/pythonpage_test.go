package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// TestPythonDocument runs every command of docs/python.md, in its order, on a recording
// of the demo's room, and its Python. Models that come out give the same in the engine.
func TestPythonDocument(t *testing.T) {
	needsPython(t)
	useTorchForKeras(t)
	doc, err := os.ReadFile("../../docs/python.md")
	require.NoError(t, err)
	interpreter, err := filepath.Abs(os.Getenv("RAGEDGE_PYTHON"))
	require.NoError(t, err)
	t.Setenv("RAGEDGE_PYTHON", interpreter)
	t.Setenv("PIP_DRY_RUN", "1") // the packages are there, in the versions that are asked for:
	t.Setenv("PIP_NO_INDEX", "1")
	scripts, torch, keras := absolute(t, "testdata"), absolute(t, torchExample), absolute(t, kerasExample)
	examples := absolute(t, "../../examples")
	s := recordedSite(t)
	t.Chdir(s.dir)
	require.NoError(t, os.Symlink(examples, "examples"))
	s.run(t)

	ran := map[string]int{}
	for line := range strings.Lines(string(doc)) {
		if command, is := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    "); is && strings.HasPrefix(line, "    ") {
			ran[inDocument(t, command)]++
		}
	}
	require.Equal(t, map[string]int{"ragedge": 4, "venv/bin/pip": 2, "venv/bin/python": 3, "python3": 1}, ran)
	_, block, found := strings.Cut(string(doc), "```python\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	t.Setenv("PYTHONPATH", torch)
	require.Equal(t, 3, strings.Count(string(python(t, "-c", block)), "tensor("))

	const table = "room-data.safetensors"
	sameInPython(t, scripts+"/torch_fuse.py", torch, table, map[string]float64{"room.safetensors": apart, "room-self.safetensors": apartWithBlocks})
	sameInPython(t, scripts+"/keras_fuse.py", keras, table, map[string]float64{"room-keras.safetensors": apart})
	model, err := fusion.Load("room.safetensors")
	require.NoError(t, err)
	body, err := s.client.exchange(t.Context(), "POST", "/v1/regions?decide=1", []byte(`{"regions":{"light":[[121,34,53,40]]}}`))
	require.NoError(t, err)
	var answer result.Result
	require.NoError(t, json.Unmarshal(body, &answer))
	require.Equal(t, model.Digest, answer.Model, "it is in force")
	require.Contains(t, model.Config.Head.Labels, answer.Label)
}

// The README files of the examples do so in their own folders, with trainings of an epoch.
func TestPythonReadmes(t *testing.T) {
	needsPython(t)
	useTorchForKeras(t)
	interpreter := absolute(t, os.Getenv("RAGEDGE_PYTHON"))
	for _, c := range []struct {
		page  string
		count int // of trainings
	}{{"../../examples/pytorch/README.md", 2}, {"../../examples/keras/README.md", 1}} {
		t.Run(filepath.Base(filepath.Dir(c.page)), func(t *testing.T) {
			t.Setenv("RAGEDGE_PYTHON", interpreter)
			t.Setenv("PIP_DRY_RUN", "1")
			t.Setenv("PIP_NO_INDEX", "1")
			commands := typedIn(t)[c.page]
			s := recordedSite(t)
			require.NoError(t, os.CopyFS(filepath.Join(s.dir, "example"), os.DirFS(filepath.Dir(c.page))))
			require.NoError(t, os.CopyFS(filepath.Join(s.dir, "example", "recordings"), os.DirFS(filepath.Join(s.dir, "recordings"))))
			s.put(t, "example/room.toml", s.read(t, "room.toml"))
			t.Chdir(filepath.Join(s.dir, "example"))
			s.run(t)
			ran := map[string]int{}
			for _, c := range commands {
				line := strings.ReplaceAll(c.text, "\\\n", " ")
				switch {
				case strings.Contains(line, "train.py"):
					line += " --epochs 1"
				case strings.HasPrefix(line, "ragedge deploy"):
					line += " --config ../ragedge.toml"
				}
				ran[inDocument(t, line)]++
			}
			require.Equal(t, map[string]int{"ragedge": 2, "venv/bin/pip": 1, "venv/bin/python": c.count, "python3": 1}, ran)
		})
	}
}

// recordedSite is a site with a recording of the demo's room, and room.toml, which made it.
func recordedSite(t *testing.T) *site {
	s := newSite(t)
	config, err := os.ReadFile("../../examples/replay.toml")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(config), "../cmd/ragedge", absolute(t, "."))
	room := s.put(t, "room.toml", []byte(text+"[record]\nwhen = \"always\"\ndirectory = \"recordings\"\n"))
	code, _, errs := try(t, "run", "--config", room)
	require.Zero(t, code, errs)
	board := strings.Replace(string(s.read(t, "ragedge.toml")), "[agent]\n", "[agent]\ntrigger = \"push\"\n", 1)
	s.put(t, "ragedge.toml", []byte(board)) // pushed to, it does not wait half a minute for the tick of the room
	return s
}

// inDocument runs a command of the document and returns its name.
func inDocument(t *testing.T, line string) string {
	var words []string
	for i, part := range strings.Split(line, "'") { // every second one is in quotes
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	if key, value, is := strings.Cut(words[0], "="); is {
		t.Setenv(key, value)
		words = words[1:]
	}
	switch words[0] {
	case "ragedge":
		code, out, errs := try(t, words[1:]...)
		require.Zero(t, code, "%s: %s%s", line, out, errs)
	case "venv/bin/python":
		python(t, words[1:]...)
	case "venv/bin/pip":
		require.Contains(t, string(python(t, append([]string{"-m", "pip"}, words[1:]...)...)), "already satisfied")
	case "python3": // makes the virtual environment that the test is given
		require.Equal(t, []string{"-m", "venv", "venv"}, words[1:])
	default:
		require.Fail(t, "no known command", line)
	}
	return words[0]
}
