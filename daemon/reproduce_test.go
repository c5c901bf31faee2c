package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// longFeatures remember some minutes.
const longFeatures = `{"tick":"10s","modalities":{
	"light":{"encoder":"window","channels":["lux"],"regions":2,"every":"1m","functions":["mean"],"fill":"hold","stale_after":"10m","baseline":true,"baseline_window":"5m"},
	"air":{"encoder":"window","channels":["co2"],"regions":2,"every":"10s","functions":["last"],"fill":"hold","stale_after":"30m"}}}`

// recordRun records ten minutes of a run into files of a minute each, and returns
// their names.
func recordRun(t *testing.T, dir string) []string {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeBus{raw: 600}
		c := quiet(lightSensor(), airSensor())
		c.Record = recordTo(dir)
		c.Record.SegmentAge = encoder.Duration(time.Minute)
		d, err := New(c, Environment{
			Model: tinyModel(t, longFeatures), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{},
			Version: "1", KernelSet: "here",
		})
		require.NoError(t, err)
		stop := run(t, d)
		time.Sleep(time.Second)
		synctest.Wait()
		require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 700.1}}}))
		for i := range 200 {
			time.Sleep(3 * time.Second)
			bus.set(func(b *fakeBus) {
				b.raw = uint16(100 + (i*i*37)%5000)
				if b.err = nil; i%50 > 42 {
					b.err = errRemote
				}
			})
			if i == 20 {
				require.NoError(t, d.Label(t.Context(), &api.Label{Label: "noon"}))
			}
		}
		synctest.Wait()
		require.NoError(t, stop())
	})
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	require.Greater(t, len(files), 5)
	return files
}

// reproduce compares recordings with their own Results.
func reproduce(t *testing.T, env Environment, files ...string) *Comparison {
	t.Helper()
	env.Notify = &notes{}
	if env.KernelSet == "" {
		env.KernelSet = "here"
	}
	c, err := Reproduce(t.Context(), quiet(), env, files, "max", nil, 0)
	require.NoError(t, err)
	return c
}

func TestReproduce(t *testing.T) {
	dir := t.TempDir()
	files := recordRun(t, dir)
	env := Environment{Model: tinyModel(t, longFeatures)}

	all := reproduce(t, env, filepath.Join(dir, "*.mcap"))
	require.True(t, all.OK(), "%+v", all.First)
	require.InDelta(t, 60, all.Compared, 1)
	require.Equal(t, all.Compared, all.Exact)
	require.Empty(t, all.Lacks)
	require.Equal(t, all, reproduce(t, env, files...), "the same, file by file")

	// From a later file on: what led up to it is read from those before.
	later := reproduce(t, env, files[4])
	require.True(t, later.OK(), "%+v", later.First)
	require.InDelta(t, 6, later.Compared, 2)
	require.Empty(t, later.Lacks)
	truths := &results{}
	_, err := Replay(t.Context(), quiet(), Environment{Model: env.Model, OnResult: truths.add, Notify: &notes{}}, files[4:5], "max")
	require.NoError(t, err)
	require.Equal(t, later.Compared, truths.len())
	require.Equal(t, "noon", truths.all[0].Truth)

	// Within a tolerance, with other kernels.
	other := reproduce(t, Environment{Model: env.Model, KernelSet: "elsewhere"}, files...)
	require.True(t, other.OK())
	require.Zero(t, other.Exact)

	// With another model, the labels.
	changed, err := fusion.Parse(tinyFile(t, longFeatures, func(f *safetensors.File) {
		f.Tensors[0] = safetensors.NewFloat32("project.light.weight", []float32{-1, 0}, 2, 1)
		f.Tensors[2] = safetensors.NewFloat32("project.air.weight", []float32{-1, 0}, 2, 1)
	}))
	require.NoError(t, err)
	labels := reproduce(t, Environment{Model: changed}, files...)
	require.Equal(t, labels.Compared, labels.Models)
	require.Less(t, labels.Same, labels.Compared)
	require.Equal(t, "label", labels.First.Key)

	// Without the files before, the comparison says so.
	for _, name := range files[:4] {
		require.NoError(t, os.Remove(name))
	}
	alone := reproduce(t, env, files[4])
	require.False(t, alone.OK())
	require.Len(t, alone.Lacks, 1)
	require.Contains(t, alone.Lacks[0], "the files before it are gone")
	require.NotEmpty(t, alone.First.Modality)
}

// TestReproduceNamesTheDifference changes one digit of one Result.
func TestReproduceNamesTheDifference(t *testing.T) {
	var lines bytes.Buffer
	c := roomConfig(t, false)
	c.Agent.Model = roomModel
	seen := &results{}
	_, err := Replay(t.Context(), c, Environment{OnResult: seen.add, Notify: &notes{}, KernelSet: "here"}, nil, "max")
	require.NoError(t, err)
	for i := range seen.all {
		lines.Write(append(seen.all[i].AppendJSON(nil), '\n'))
	}
	compare := func(text string, set string, tolerance float64) *Comparison {
		got, err := Reproduce(t.Context(), c, Environment{Notify: &notes{}, KernelSet: set}, nil, "max", strings.NewReader(text), tolerance)
		require.NoError(t, err)
		return got
	}
	same := compare(lines.String(), "here", 0)
	require.True(t, same.OK())
	require.Equal(t, 760, same.Exact)

	// What was wrong with the machine then does not count.
	seen.all[0].Degraded = []string{hot}
	_, others, _ := strings.Cut(lines.String(), "\n")
	require.True(t, compare(string(seen.all[0].AppendJSON(nil))+"\n"+others, "here", 0).OK())

	x := &seen.all[500]
	was := x.Modalities[1].Share
	change := func(by float32) string {
		x.Modalities[1].Share = was + by
		all := strings.Split(lines.String(), "\n")
		all[500] = string(x.AppendJSON(nil))
		return strings.Join(all, "\n")
	}
	for _, step := range []struct {
		by        float32
		set       string
		tolerance float64
		ok        bool
	}{
		{1e-6, "here", 0, false}, {1e-6, "elsewhere", 0, true}, {5e-5, "elsewhere", 0, false},
		{5e-5, "elsewhere", 1e-4, true}, {5e-5, "here", 1e-4, true},
	} {
		got := compare(change(step.by), step.set, step.tolerance)
		require.Equal(t, step.ok, got.OK(), "%+v", step)
		require.Equal(t, 760, got.Compared)
		if !step.ok {
			require.Equal(t, 759, got.Same)
			require.EqualValues(t, 501, got.First.Seq)
			require.Equal(t, x.Modalities[1].Name, got.First.Modality)
			require.Equal(t, "share", got.First.Key)
			require.NotEqual(t, got.First.Want, got.First.Got)
		}
	}

	// One too few and one too many.
	rows := strings.SplitAfter(lines.String(), "\n")
	fewer := compare(strings.Join(rows[1:], ""), "here", 0)
	require.Equal(t, 1, fewer.Extra)
	require.False(t, fewer.OK())
	more := compare(lines.String()+`{"seq":999,"mono_ns":9000000000000000}`, "here", 0)
	require.Equal(t, 761, more.Expected)
	require.Equal(t, 760, more.Same)
	require.Equal(t, "seq", more.First.Key)
	_, err = Reproduce(t.Context(), c, Environment{Notify: &notes{}}, nil, "max", strings.NewReader("{}\nno\n"), 0)
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, "line 2")
	_, err = Reproduce(t.Context(), c, Environment{Notify: &notes{}}, nil, "max", nil, 0)
	require.ErrorContains(t, err, "holds no Results")
}

func TestReplayNeedsAModel(t *testing.T) {
	_, err := Replay(t.Context(), roomConfig(t, false), Environment{Notify: &notes{}}, nil, "max")
	require.ErrorIs(t, err, ErrConfig)
	_, err = Replay(t.Context(), quiet(), Environment{Notify: &notes{}, Model: tinyModel(t, twoFeatures)}, nil, "max")
	require.ErrorIs(t, err, ErrConfig)
}

// fixedClock is one that a test sets.
type fixedClock struct {
	mu   sync.Mutex
	now  time.Duration
	zero time.Time
	word string
}

func (c *fixedClock) get() (now time.Duration, zero time.Time, word string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.zero, c.word
}

func (c *fixedClock) Now() time.Duration              { now, _, _ := c.get(); return now }
func (c *fixedClock) Wall(at time.Duration) time.Time { _, zero, _ := c.get(); return zero.Add(at) }
func (c *fixedClock) Quality() string                 { _, _, word := c.get(); return word }

// TestRow43RecordingIsDatedAgain: ten minutes of 1970 come out with the time that
// the board learnt after them, in a replay and in a table for training.
func TestRow43RecordingIsDatedAgain(t *testing.T) {
	dir := t.TempDir()
	right := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := &fixedClock{zero: time.Unix(0, 0), word: "unsynced"}
	r := record.New(recordTo(dir), record.Run{BootID: "b", Tick: tinyTick, Sensors: []record.Sensor{{Alias: "desk", Type: "i2c", Channels: []string{"lux"}}}},
		clock, record.OS{}, logTo(&bytes.Buffer{}), nil)
	for n := range 100 {
		at := time.Duration(n) * tinyTick
		clock.mu.Lock()
		if clock.now = at; at >= 10*time.Minute {
			clock.zero, clock.word = right, "ntp"
		}
		clock.mu.Unlock()
		r.Reading(0, at, sampleOf("lux", at, float64(n)), "", "")
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Close(context.Background()))
	pattern := filepath.Join(dir, "*.mcap")
	seen := replayTape(t, pattern, tinyModel(t, twoFeatures))
	require.Equal(t, 100, seen.len())
	for i := range seen.all {
		require.Equal(t, right.Add(seen.all[i].Mono), seen.all[i].Time)
	}
	table := tableFile(t, quiet(), Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}}, []string{pattern})
	times := ints(t, table, "time_ns")
	require.Len(t, times, 100)
	require.Equal(t, right.UnixNano(), times[0])
	var names []string
	require.NoError(t, json.Unmarshal([]byte(table.Metadata["groups"]), &names))
	require.Equal(t, []string{pattern}, names)
}
