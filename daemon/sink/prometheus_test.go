package sink

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

func TestPrometheusText(t *testing.T) {
	r := answer(7)
	r.Labels = []string{"empty", "2 \"people\"\\\n"}
	r.Label = r.Labels[1]
	r.Probabilities = []float32{float32(math.NaN()), 0.75}
	r.Modalities = append(r.Modalities, result.Modality{Name: "air", Measured: true, Effect: -0.25, Age: -1})
	r.Readings = []result.Reading{{Channel: "desk", Value: 12.5, Age: time.Second}, {Channel: "door", Reason: "no value yet", Age: -1}}
	for name, r := range map[string]*result.Result{
		"result.prom": r,
		"values.prom": {Seq: 1, Reason: "no data", Values: []float32{1, 2}},
	} {
		path, got := filepath.Join("testdata", name), appendExposition(nil, r)
		if *update {
			require.NoError(t, os.WriteFile(path, got, 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}

func TestCheckPrometheus(t *testing.T) {
	good := Config{Type: Prometheus, Path: "/var/lib/node_exporter/ragedge.prom"}
	require.NoError(t, good.Check())
	require.NoError(t, good.WithDefaults().Check())
	require.Equal(t, 15*time.Second, good.WithDefaults().Interval.Std())
	require.ErrorContains(t, Config{Type: Prometheus}.Check(), "path: required: a file whose name ends in .prom")
	require.ErrorContains(t, Config{Type: Prometheus, Path: "a.txt"}.Check(), "path: required")
	good.Interval = -1
	require.ErrorContains(t, good.Check(), "interval: want a duration")
	require.ErrorContains(t, Config{Type: File, Path: "a", Interval: 1}.Check(), "interval: a key of type prometheus")
}

// counting counts how often a file was replaced.
type counting struct {
	OS
	replaced int
}

func (c *counting) Replace(path string, b []byte) error {
	c.replaced++
	return c.OS.Replace(path, b)
}

// The file is replaced as a whole, no more often than asked for, comes when its
// directory does, and goes with the sink.
func TestPrometheusFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "later")
		path := filepath.Join(dir, "ragedge.prom")
		defer syscall.Umask(syscall.Umask(0o077))
		files := &counting{}
		s := New(Config{Type: Prometheus, Path: path}.WithDefaults(), mqtt.Board{}, nil, files)
		require.ErrorIs(t, s.Write(answer(1)), fs.ErrNotExist)
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, s.Write(answer(2)), "a failed attempt does not count")
		for range 14 {
			time.Sleep(time.Second)
			require.NoError(t, s.Write(answer(3)))
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(appendExposition(nil, answer(2))), string(text))
		time.Sleep(time.Second)
		require.NoError(t, s.Write(answer(4)))
		text, err = os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(appendExposition(nil, answer(4))), string(text))
		require.Equal(t, 3, files.replaced)

		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "nothing is left beside it")
		info, err := entries[0].Info()
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o644), info.Mode(), "others can read it")
		require.NoError(t, s.Close())
		require.NoFileExists(t, path)
		require.NoError(t, s.Close())
	})
}

func TestReplaceLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.prom")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o755)) // it cannot be replaced
	require.Error(t, OS{}.Replace(path, []byte("a")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
