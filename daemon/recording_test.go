package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// withoutWall is the JSON of Results less what the wall clock says.
func withoutWall(t testing.TB, all []result.Result) (lines []string) {
	t.Helper()
	for i := range all {
		var m map[string]any
		require.NoError(t, json.Unmarshal(all[i].AppendJSON(nil), &m))
		delete(m, "time")
		delete(m, "time_quality")
		text, err := json.Marshal(m)
		require.NoError(t, err)
		lines = append(lines, string(text))
	}
	return lines
}

// replayTape plays the recordings that a pattern matches.
func replayTape(t testing.TB, pattern string, model *fusion.Model) *results {
	t.Helper()
	seen := &results{}
	c := quiet(sensor.Config{Alias: "tape", Type: sensor.Recorded, File: pattern, Speed: "max"})
	d, err := New(c, Environment{Model: model, OnResult: seen.add, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(context.Background()))
	return seen
}

// recordTo is what records everything into a directory.
func recordTo(dir string) record.Config {
	return record.Config{When: record.Always, Directory: dir, Durable: record.DurableRecord}
}

// TestReplayReproducesTheRun records a live run with a sensor that fails and
// comes back, pushed samples and regions, decisions on demand and labels, and
// replays it: every Result is the same, but for the wall clock.
func TestReplayReproducesTheRun(t *testing.T) {
	dir := t.TempDir()
	live := &results{}
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeBus{raw: 600}
		c := quiet(lightSensor(), airSensor())
		c.Record = recordTo(dir)
		d, err := New(c, Environment{
			Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}, OnResult: live.add,
		})
		require.NoError(t, err)
		stop := run(t, d)
		for i := range 60 {
			time.Sleep(3 * time.Second)
			bus.set(func(b *fakeBus) {
				b.raw = uint16(100 + 37*i)
				if b.err = nil; i%20 > 12 {
					b.err = errRemote
				}
			})
			if i%3 == 0 {
				require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: float64(400*(i%2)) - 200.1}}}))
			}
			if i == 30 {
				require.NoError(t, d.Push(&api.Push{Age: time.Second, TTL: 15 * time.Second,
					Regions: []api.Regions{{Modality: "air", Rows: 2, Features: 1, Data: []float32{0.25, -1e9}}}}))
			}
			if i%25 == 7 {
				var r result.Result
				require.NoError(t, d.Decide(&api.Push{}, &r))
			}
			if i == 51 { // the bus hangs
				hang := make(chan struct{})
				bus.set(func(b *fakeBus) { b.hang = hang })
				time.AfterFunc(12*time.Second, func() {
					bus.set(func(b *fakeBus) { b.hang = nil })
					close(hang)
				})
			}
			if i == 10 {
				require.NoError(t, d.Label(t.Context(), &api.Label{Label: "noon", Source: "test"}))
			}
		}
		synctest.Wait()
		require.NoError(t, stop())
	})
	require.Greater(t, live.len(), 19)
	again := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
	require.Equal(t, withoutWall(t, live.all), withoutWall(t, again.all))
	require.Empty(t, again.all[0].Truth)
	require.Equal(t, "noon", again.last(t).Truth)
	text := strings.Join(withoutWall(t, live.all), "\n")
	require.Contains(t, text, "remote I/O error")
	require.Contains(t, text, "hangs in a read")
	require.Contains(t, text, `"boot_id":`)
	third := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
	require.Equal(t, again.all[3].AppendJSON(nil), third.all[3].AppendJSON(nil))
}

// TestRoomThroughMCAP: a CSV recording that is recorded again as MCAP gives the
// same 760 Results. It also says what such a day costs.
func TestRoomThroughMCAP(t *testing.T) {
	dir := t.TempDir()
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	first := &results{}
	c := roomConfig(t, true)
	c.Record = recordTo(dir)
	d, err := New(c, Environment{Model: model, OnResult: first.add, Notify: &notes{}})
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, d.Run(context.Background()))
	took := time.Since(begun)
	require.Equal(t, 760, first.len())
	again := replayTape(t, filepath.Join(dir, "*.mcap"), model)
	require.Equal(t, withoutWall(t, first.all), withoutWall(t, again.all))
	for i := range first.all {
		require.Equal(t, first.all[i].Truth, again.all[i].Truth, i)
	}

	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	size := int64(0)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		size += info.Size()
	}
	span := first.last(t).Mono - first.all[0].Mono
	n := d.Status().Record
	require.Zero(t, n.Dropped)
	t.Logf("%d records, %d bytes for %v: %.1f MB a day; %.0f records/s",
		n.Records, size, span, float64(size)/span.Hours()*24/1e6, float64(n.Records)/took.Seconds())
}

func TestRecordWithoutModel(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeBus{raw: 600}
		c := quiet(lightSensor())
		c.Record = recordTo(dir)
		c.Record.When = record.API
		d, err := New(c, Environment{Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}})
		require.NoError(t, err)
		stop := run(t, d)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.False(t, d.Status().Record.Active)
		require.NoError(t, d.Record(true))
		time.Sleep(100 * time.Second)
		synctest.Wait()
		require.True(t, d.Status().Record.Active)
		require.NoError(t, stop())
	})
	seen := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
	require.InDelta(t, 10, seen.len(), 1, "ticks begin at the first sample")
	require.Equal(t, "bright", seen.last(t).Label)
}

// TestRecordingSurvivesAReload: one with other sensors begins another recording.
func TestRecordingSurvivesAReload(t *testing.T) {
	dir := t.TempDir()
	bus := &fakeBus{raw: 600}
	c := quiet(lightSensor())
	c.Record = recordTo(dir)
	next, said := c, &notes{}
	d, err := New(c, Environment{
		Hardware: sensor.Hardware{I2C: bus.open}, Notify: said,
		Load: func() (Config, error) { return next, nil },
	})
	require.NoError(t, err)
	stop := run(t, d)
	require.Eventually(t, func() bool { return slices.Contains(said.take(), "READY=1") }, 30*time.Second, 5*time.Millisecond)
	written := func() int64 { return d.Status().Record.Bytes }
	require.Eventually(t, func() bool { return written() > 0 }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, d.Reload())
	require.Positive(t, written(), "the same recording goes on")
	next.Sensors = []sensor.Config{lightSensor(), airSensor()}
	require.NoError(t, d.Reload())
	require.Eventually(t, func() bool { return written() > 0 }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, stop())
	files, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	require.Len(t, files, 2)
}

// TestRow05RecordingDiskIsGone: the daemon decides on, and says what is wrong.
func TestRow05RecordingDiskIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		c := quiet(lightSensor(), airSensor())
		c.Record = recordTo(filepath.Join(file, "below"))
		seen := &results{}
		bus := &fakeBus{raw: 600}
		d, err := New(c, Environment{
			Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}, OnResult: seen.add,
		})
		require.NoError(t, err)
		stop := run(t, d)
		time.Sleep(5 * tinyTick)
		synctest.Wait()
		require.Equal(t, 5, seen.len())
		s := d.Status()
		require.Contains(t, s.Record.LastError, "not a directory")
		require.Equal(t, api.StateDegraded, s.State)
		require.Contains(t, s.Reason, "recording")
		var text strings.Builder
		d.WriteMetrics(&text)
		require.Contains(t, text.String(), "ragedge_recording_paused 1")
		require.Error(t, d.Label(t.Context(), &api.Label{Label: "x"}))
		require.NoError(t, stop())
	})
}

// TestHungSinkLeavesTheRecordingWhole: a sink that hangs to the end takes none of the
// time that the recording has to be closed.
func TestHungSinkLeavesTheRecordingWhole(t *testing.T) {
	dir, out := t.TempDir(), &heldStdout{}
	synctest.Test(t, func(t *testing.T) {
		out.hold = make(chan struct{})
		c := quiet(airSensor())
		c.Sinks = []sink.Config{{Type: sink.Stdout}}
		c.Record = recordTo(dir)
		c.Record.Durable, c.Record.Interval = record.DurableInterval, encoder.Duration(time.Hour)
		var log bytes.Buffer
		d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}, Stdout: out, Log: logTo(&log)})
		require.NoError(t, err)
		stop := run(t, d)
		synctest.Wait()
		require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 1}}}))
		time.Sleep(2 * tinyTick)
		synctest.Wait()
		require.NoError(t, stop())
		require.Contains(t, log.String(), "sink closed")
		require.NotContains(t, log.String(), "recording closed")
		close(out.hold)
	})
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, ".mcap", filepath.Ext(files[0].Name()))
}

func TestLabelNeedsARecording(t *testing.T) {
	d, err := New(quiet(lightSensor()), Environment{Notify: &notes{}})
	require.NoError(t, err)
	require.ErrorIs(t, d.Label(t.Context(), &api.Label{Label: "x"}), api.ErrNotReady)
	require.ErrorIs(t, d.Record(true), api.ErrNotReady)
}

func TestTriggerNeedsAModel(t *testing.T) {
	c := quiet(lightSensor())
	c.Record.When = record.Trigger
	require.Contains(t, strings.Join(c.Warnings(), "\n"), "record.when")
	c.Agent.Model = "room.safetensors"
	require.NotContains(t, strings.Join(c.Warnings(), "\n"), "record.when")
}

func TestTapeStandsAlone(t *testing.T) {
	c := quiet(sensor.Config{Alias: "tape", Type: sensor.Recorded, File: "x.mcap", Time: []string{"t"}, Format: "2006"})
	require.ErrorContains(t, c.Check(), "a key of CSV files")
	c = quiet(sensor.Config{Alias: "tape", Type: sensor.Recorded, File: "missing.mcap"})
	require.NoError(t, c.Check())
	_, err := New(c, Environment{Notify: &notes{}})
	require.ErrorIs(t, err, ErrConfig)
	bad := filepath.Join(t.TempDir(), "bad.mcap")
	require.NoError(t, os.WriteFile(bad, []byte("no recording"), 0o600))
	c.Sensors[0].File = bad
	_, err = New(c, Environment{Notify: &notes{}})
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, bad)
}
