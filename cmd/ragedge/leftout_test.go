package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// onlyLabelled runs a daemon that records when it is told to, and never is, gives it a
// label, and calls during with the files that it writes meanwhile. It returns the
// closed file.
func onlyLabelled(t *testing.T, during func(dir string)) string {
	s := newSite(t)
	dir := filepath.Join(s.dir, "recordings")
	s.put(t, "ragedge.toml", append(s.read(t, "ragedge.toml"), "[record]\nwhen = \"api\"\ndirectory = \""+dir+"\"\n"...))
	stop := s.start(t)
	defer stop()
	code, _, errs := try(t, "label", "2", "--config", s.config)
	require.Equal(t, exitOK, code, errs)
	during(dir)
	stop()
	files, err := filepath.Glob(filepath.Join(dir, "*.labels.mcap"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	return files[0]
}

// learners are the verbs that learn from recordings, each with the files put last.
func learners(t *testing.T) map[string][]string {
	task := roomTask(t, "")
	names := write(t, "names.toml", "[train]\n"+roomNames)
	return map[string][]string{
		"features": {"features", task, "-o", filepath.Join(t.TempDir(), "x.safetensors")},
		"train":    {"train", task, "--quick", "--out", t.TempDir()},
		"eval":     {"eval", "room/room.safetensors", "--config", names},
	}
}

// TestOnlyLabelsIsLeftOut: a recording of nothing but labels is no fault of the others.
func TestOnlyLabelsIsLeftOut(t *testing.T) {
	empty := onlyLabelled(t, func(string) {})
	_, recording := recordedRoom(t)
	text, err := os.ReadFile(empty)
	require.NoError(t, err)
	beside := filepath.Join(filepath.Dir(recording), "19700101T000000Z-0001.labels.mcap")
	require.NoError(t, os.WriteFile(beside, text, 0o600))
	for verb, args := range learners(t) {
		t.Run(verb, func(t *testing.T) {
			code, _, errs := try(t, append(args, filepath.Join(filepath.Dir(recording), "*.mcap"))...)
			require.Equal(t, exitOK, code, errs)
			require.Contains(t, errs, beside+" is left out: it holds no readings, pushes or Results\n")
			if verb == "train" {
				require.Contains(t, errs, " examples of "+filepath.Base(recording)+"\n")
			}
			code, _, errs = try(t, append(args, empty)...)
			require.Equal(t, exitData, code, errs)
			require.Contains(t, errs, empty)
			require.Contains(t, errs, "it holds no readings")
		})
	}
	code, out, errs := try(t, "replay", beside, recording, "--model", "room/room.safetensors", "--expect")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "not everything is there: "+beside+": it holds no readings")
}

// TestOpenRecordingIsRefused: what is still written is named, and what to do about it.
func TestOpenRecordingIsRefused(t *testing.T) {
	onlyLabelled(t, func(dir string) {
		open, err := filepath.Glob(filepath.Join(dir, "*.mcap.open"))
		require.NoError(t, err)
		require.Len(t, open, 1)
		_, recording := recordedRoom(t)
		all := learners(t)
		all["replay"] = []string{"replay", "--model", "room/room.safetensors"}
		for verb, args := range all {
			t.Run(verb, func(t *testing.T) {
				for _, files := range [][]string{{recording, open[0]}, {filepath.Join(dir, "*.open")}} {
					if verb == "replay" {
						files = []string{recording, open[0]} // it leaves patterns to the shell
					}
					code, _, errs := try(t, append(args, files...)...)
					require.Equal(t, exitData, code, errs)
					require.Contains(t, errs, open[0]+" is still being written")
					require.Contains(t, errs, `"ragedge record stop"`)
					require.Contains(t, errs, "*.mcap")
				}
			})
		}
	})
}
