package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/ragedge/ragedge/train"
	"github.com/stretchr/testify/require"
)

// roomTask is a task file for recordings of the room, with more keys for [train].
func roomTask(t testing.TB, keys string) string {
	text := "[features]\ntick = \"30s\"\n"
	for name, channels := range map[string]string{
		"light": `"S1_Light", "S2_Light", "S3_Light", "S4_Light"`, "co2": `"S5_CO2", "S5_CO2_Slope"`, "motion": `"S6_PIR", "S7_PIR"`,
	} {
		text += "[features.modality." + name + "]\nencoder = \"window\"\nchannels = [" + channels +
			"]\nregions = 4\nevery = \"30s\"\nfunctions = [\"last\"]\nfill = \"hold\"\nstale_after = \"90s\"\n"
	}
	return write(t, "room.toml", text+`
[[sensor]]
alias = "room"
type = "replay"
file = "room-demo.csv"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"
label = "Room_Occupancy_Count"
[train]
data = ["room-demo.csv"]
`+keys)
}

// TestTrain goes from a recording to a model that eval finds good.
func TestTrain(t *testing.T) {
	task := roomTask(t, `labels = { 0 = "empty", 1 = "some", 2 = "some", 3 = "some" }`+"\n")
	out := filepath.Join(t.TempDir(), "a", "b")
	code, _, errs := try(t, "config", "check", "--config", task)
	require.Equal(t, exitOK, code, errs)
	code, text, errs := try(t, "train", task, "--data", "room", "--out", out, "--quick")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, errs, "752 examples of room-demo.csv")
	require.Contains(t, errs, "1/1 gate, seed 1")
	require.Contains(t, text, "one session")
	require.Contains(t, text, "ragedge deploy "+out)

	var report train.Report
	raw, err := os.ReadFile(filepath.Join(out, "report.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &report))
	require.Equal(t, []string{"empty", "some"}, report.Validation.Labels)
	require.Positive(t, report.Table[0].MultiplyAdds)
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "</html>")

	file := filepath.Join(out, "room.safetensors")
	model, err := fusion.Load(file)
	require.NoError(t, err)
	require.Contains(t, model.Features, `"S5_CO2"`)
	var e struct {
		Model    string
		Rows     int
		Accuracy float64
		Missing  []struct{ Without []string }
		Against  struct{ Accuracy float64 }
	}
	code, text, errs = try(t, "eval", file, "room/room-demo.csv", "--config", task, "--json", "--against", "empty")
	require.Equal(t, exitOK, code, errs)
	require.NoError(t, json.Unmarshal([]byte(text), &e))
	require.Equal(t, model.Digest, e.Model)
	require.Equal(t, 752, e.Rows)
	require.Greater(t, e.Accuracy, 0.9)
	require.Equal(t, e.Accuracy, e.Against.Accuracy)
	require.Len(t, e.Missing, 6)

	// The table of features gives the same model as the recording.
	table := filepath.Join(t.TempDir(), "room-data.safetensors")
	code, _, errs = try(t, "features", task, "room/room-demo.csv", "-o", table)
	require.Equal(t, exitOK, code, errs)
	again := t.TempDir()
	code, _, errs = try(t, "train", task, table, "--out", again, "--quick", "--threads", "1")
	require.Equal(t, exitOK, code, errs)
	a, err := safetensors.ReadFile(file)
	require.NoError(t, err)
	b, err := safetensors.ReadFile(filepath.Join(again, "room.safetensors"))
	require.NoError(t, err)
	require.Equal(t, a.Tensors, b.Tensors)
}

// TestTrainSeveral: every file is a recording of its own, also when their names count.
func TestTrainSeveral(t *testing.T) {
	rows, err := os.ReadFile("room/room-demo.csv")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"room-1.csv", "room-2.csv", "room-3.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), rows, 0o600))
	}
	code, _, errs := try(t, "train", roomTask(t, ""), filepath.Join(dir, "room-*.csv"), "--out", t.TempDir(), "--quick")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, errs, "2256 examples of room-1.csv, room-2.csv, room-3.csv")
	code, text, errs := try(t, "eval", "room/room.safetensors", filepath.Join(dir, "room-2.csv"), filepath.Join(dir, "room-3.csv"),
		"--config", write(t, "names.toml", strings.Replace(string(mustRead(t, "../../examples/replay.toml")), "speed", "# speed", 1)+"[train]\n"+roomNames))
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, text, "1504 rows")
}

func mustRead(t *testing.T, path string) []byte {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// TestEvalRecording needs no configuration for what the daemon recorded.
func TestEvalRecording(t *testing.T) {
	_, recording := recordedRoom(t)
	config := write(t, "names.toml", "[train]\n"+roomNames) // one of which is not in it
	code, text, errs := try(t, "eval", "room/room.safetensors", filepath.Join(filepath.Dir(recording), "*.mcap"), "--config", config)
	require.Equal(t, exitOK, code, errs)
	require.Regexp(t, `^\d+ rows, accuracy \d+\.\d % \(95 %: `, text)
	require.Regexp(t, `(?m)^co2, light +\d+ +\d+\.\d %$`, text)
	code, _, errs = try(t, "eval", "room/room.safetensors", recording)
	require.Equal(t, exitData, code)
	require.Contains(t, errs, `has the label "2", and the model knows ["empty"`)
}

func TestTrainRefuses(t *testing.T) {
	rows, err := os.ReadFile("room/room-demo.csv")
	require.NoError(t, err)
	csv := string(rows)
	head := csv[:strings.Index(csv, "\n")+1]
	all := strings.SplitAfter(csv[len(head):], "\n")
	column := regexp.MustCompile(`(?m),\d$`)
	for name, tc := range map[string]struct {
		keys, data string
		args       []string
		code       int
		want       string
	}{
		"unknown key":  {keys: "epoch = 3", code: exitConfig, want: "unknown key train.epoch"},
		"bad value":    {keys: "learning_rate = -1.0", code: exitConfig, want: "learning rate"},
		"seeds":        {args: []string{"--seeds", "2"}, code: exitUsage, want: "at least 3"},
		"threads":      {args: []string{"--threads", "0"}, code: exitUsage, want: "--threads"},
		"deploy":       {args: []string{"--deploy"}, code: exitUsage, want: "--adapt"},
		"both":         {keys: `test = ["room-demo.csv"]`, code: exitConfig, want: "is in train.data as well"},
		"test group":   {keys: `test_groups = ["x"]`, code: exitConfig, want: `no group "x"`},
		"label name":   {keys: `labels = { 7 = "x" }`, code: exitConfig, want: `no label "7"`},
		"regress":      {keys: `task = "regress"`, code: exitData, want: "no example has a target"},
		"one class":    {data: head + column.ReplaceAllString(strings.Join(all[:200], ""), ",1"), code: exitData, want: "at least two"},
		"unlabelled":   {data: head + column.ReplaceAllString(strings.Join(all[:200], ""), ","), code: exitData, want: "label"},
		"too few":      {data: head + strings.Join(all[:8], ""), code: exitData, want: "at least 10"},
		"no file":      {keys: "", data: "-", code: exitConfig, want: "room-demo.csv"},
		"no number":    {data: head + strings.Replace(strings.Join(all[:100], ""), ",165,", ",bright,", 1), code: exitData, want: "bright"},
		"time goes on": {data: head + all[50] + strings.Join(all[:100], ""), code: exitData, want: "time"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, out := t.TempDir(), t.TempDir()
			if tc.data == "" {
				tc.data = csv
			}
			if tc.data != "-" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "room-demo.csv"), []byte(tc.data), 0o600))
			}
			args := append([]string{"train", roomTask(t, tc.keys), "--data", dir, "--out", out}, tc.args...)
			code, _, errs := try(t, args...)
			require.Equal(t, tc.code, code, errs)
			require.Contains(t, errs, tc.want)
			entries, err := os.ReadDir(out)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
	code, _, _ := try(t, "train")
	require.Equal(t, exitUsage, code)
	code, _, _ = try(t, "eval", "x")
	require.Equal(t, exitUsage, code)
}

// spoiltRoom is the room's model with a head that is sure of nothing and prefers a label.
func spoiltRoom(t *testing.T, data []byte) []byte {
	file, err := safetensors.Parse(data)
	require.NoError(t, err)
	for i, tensor := range file.Tensors {
		if !strings.HasPrefix(tensor.Name, "head.1.") {
			continue
		}
		values, err := tensor.Float32s()
		require.NoError(t, err)
		for k := range values {
			values[k] *= 0.02
		}
		if tensor.Name == "head.1.bias" {
			values[0] += 0.5
		}
		file.Tensors[i] = safetensors.NewFloat32(tensor.Name, values, tensor.Shape...)
	}
	data, err = file.Bytes()
	require.NoError(t, err)
	return data
}

// TestTrainWhereNothingCanBeWritten says so before it trains.
func TestTrainWhereNothingCanBeWritten(t *testing.T) {
	table, file := roomTable(t), write(t, "file", "")
	for name, args := range map[string][]string{
		"train": {"--quick"},
		"adapt": {"--adapt", "room/room.safetensors"},
	} {
		t.Run(name, func(t *testing.T) {
			task := write(t, "room.toml", "[train]\n"+roomNames)
			code, _, errs := try(t, append([]string{"train", task, table, "--out", filepath.Join(file, "out")}, args...)...)
			require.Equal(t, exitFailed, code, errs)
			require.Contains(t, errs, "not a directory")
			require.NotContains(t, errs, "seed 1")
		})
	}
}

// TestTrainNumbers trains and scores a table whose labels have no names.
func TestTrainNumbers(t *testing.T) {
	table, out := roomTable(t), t.TempDir()
	file, err := safetensors.ReadFile(table)
	require.NoError(t, err)
	delete(file.Metadata, "labels")
	require.NoError(t, file.WriteFile(table, 0o600))
	code, _, errs := try(t, "train", write(t, "numbers.toml", "[train]\nepochs = 2\n"), table, "--quick", "--out", out)
	require.Equal(t, exitOK, code, errs)
	code, _, errs = try(t, "eval", filepath.Join(out, "numbers.safetensors"), table)
	require.Equal(t, exitOK, code, errs)
}

const roomNames = `labels = { 0 = "empty", 1 = "1 person", 2 = "2 people", 3 = "3 people" }` + "\n"

// roomTable is the recording as the room's model sees it, without what it was made with.
func roomTable(t *testing.T) string {
	table := filepath.Join(t.TempDir(), "data.safetensors")
	config := write(t, "demo.toml", strings.Replace(`[agent]
model = "MODEL"
[[sensor]]
alias = "room"
type = "replay"
file = "room-demo.csv"
time = ["Date", "Time"]
format = "2006/01/02 15:04:05"
label = "Room_Occupancy_Count"
`, "MODEL", absolute(t, "room/room.safetensors"), 1))
	code, _, errs := try(t, "features", config, "room/room-demo.csv", "-o", table)
	require.Equal(t, exitOK, code, errs)
	file, err := safetensors.ReadFile(table)
	require.NoError(t, err)
	delete(file.Metadata, "features")
	require.NoError(t, file.WriteFile(table, 0o600))
	return table
}

// TestTrainAdapt replaces a model by a better one and keeps the old one; when nothing
// gets better, nothing is written.
func TestTrainAdapt(t *testing.T) {
	good, err := os.ReadFile("room/room.safetensors")
	require.NoError(t, err)
	dir, table := t.TempDir(), roomTable(t)
	spoilt := spoiltRoom(t, good)
	model := filepath.Join(dir, "room.safetensors")
	require.NoError(t, os.WriteFile(model, spoilt, 0o600))
	task := write(t, "adapt.toml", "[train]\n"+roomNames)
	code, text, errs := try(t, "train", task, table, "--adapt", model)
	require.Equal(t, exitOK, code, errs)
	require.Regexp(t, `recall 0\.\d+ before, [01]\.\d+ after`, text)
	previous, err := os.ReadFile(model + ".previous")
	require.NoError(t, err)
	require.Equal(t, spoilt, previous)
	adapted, err := os.ReadFile(model)
	require.NoError(t, err)
	require.NotEqual(t, spoilt, adapted)

	still := write(t, "still.toml", "[train]\nlearning_rate = 1e-30\n"+roomNames)
	code, _, errs = try(t, "train", still, table, "--adapt", model)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, model+" is unchanged: the adapted model is no better")
	now, err := os.ReadFile(model)
	require.NoError(t, err)
	require.Equal(t, adapted, now)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
}

// TestTrainAdaptDeploys puts the better model into force in a running daemon.
func TestTrainAdaptDeploys(t *testing.T) {
	s := newSite(t)
	before := s.put(t, "models/room.safetensors", spoiltRoom(t, quickRoom(t, "100ms", "first", 1)))
	s.run(t)
	old, err := fusion.Load(before)
	require.NoError(t, err)
	config := string(s.read(t, "ragedge.toml"))
	s.put(t, "ragedge.toml", []byte(config+"[train]\n"+roomNames))
	code, text, errs := try(t, "train", s.config, roomTable(t), "--adapt", before, "--deploy")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, text, "in force: sha256:")
	now, err := s.client.status(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, old.Digest, now.Model.Digest)
	s.tidy(t, "room.safetensors", "room.safetensors.previous")
}

// TestTrainingDocument trains with the task file of docs/training.md.
func TestTrainingDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/training.md")
	require.NoError(t, err)
	task := ""
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n|^\n)+`).FindAllString(string(text), -1) {
		if strings.Contains(block, "[train]\n") {
			task = regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")
		}
	}
	require.Contains(t, task, "[features]")
	out := t.TempDir()
	code, _, errs := try(t, "train", write(t, "room.toml", task), "--data", "room", "--out", out, "--quick")
	require.Equal(t, exitOK, code, errs)
	code, _, errs = try(t, "inspect", filepath.Join(out, "room.safetensors"))
	require.Equal(t, exitOK, code, errs)
}
