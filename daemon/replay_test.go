package daemon

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

const (
	roomModel     = "../cmd/ragedge/room/room.safetensors"
	roomRecording = "../cmd/ragedge/room/room-demo.csv"
)

// roomConfig replays the room's recording, all columns from one sensor or the
// light levels from a sensor of their own, which is unplugged throughout.
func roomConfig(t testing.TB, dark bool) Config {
	all := sensor.Config{
		Alias: "room", Type: sensor.Recorded, File: roomRecording, Speed: "max",
		Time: []string{"Date", "Time"}, Format: "2006/01/02 15:04:05", Label: "Room_Occupancy_Count",
	}
	if !dark {
		return quiet(all)
	}
	light := all
	light.Alias, light.Label = "light", ""
	light.Unplug = [][2]string{{"2017/12/22 00:00:00", "2017/12/23 00:00:00"}}
	light.Channels, all.Channels = map[string]string{}, map[string]string{}
	text, err := os.ReadFile(roomRecording)
	require.NoError(t, err)
	header, _, _ := strings.Cut(string(text), "\n")
	for _, column := range strings.Split(header, ",")[2:18] {
		if strings.HasSuffix(column, "Light") {
			light.Channels[column] = column
		} else {
			all.Channels[column] = column
		}
	}
	return quiet(all, light)
}

// roomScore is what a pass over the recording gave.
type roomScore struct {
	decisions, answered, right int
	shares                     map[string]float64
	reasons                    map[string]bool
}

func (s *roomScore) add(r *result.Result) {
	s.decisions++
	for _, m := range r.Modalities {
		if m.Reason != "" {
			s.reasons[m.Name+": "+m.Reason] = true
		}
	}
	if r.Reason != "" {
		return
	}
	s.answered++
	if n, err := strconv.Atoi(r.Truth); err == nil && r.Labels[n] == r.Label {
		s.right++
	}
	for _, m := range r.Modalities {
		s.shares[m.Name] += float64(m.Share)
	}
}

func replayRoom(t testing.TB, c Config) *roomScore {
	t.Helper()
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	s := &roomScore{shares: map[string]float64{}, reasons: map[string]bool{}}
	d, err := New(c, Environment{Model: model, OnResult: s.add, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(context.Background()))
	return s
}

// The expected figures are those of the float64 reference for the same regions.
func TestReplayRoom(t *testing.T) {
	s := replayRoom(t, roomConfig(t, false))
	require.Equal(t, 760, s.decisions)
	require.Equal(t, 752, s.answered)
	require.InDelta(t, 730, s.right, 1)
	for name, want := range map[string]float64{"light": 0.9615, "sound": 0.0194, "co2": 0.0179, "climate": 0.0007, "motion": 0.0005} {
		require.InDelta(t, want, s.shares[name]/float64(s.answered), 0.001, name)
	}
}

func TestReplayRoomWithoutLight(t *testing.T) {
	s := replayRoom(t, roomConfig(t, true))
	require.Equal(t, 760, s.decisions)
	require.Equal(t, 752, s.answered)
	require.InDelta(t, 619, s.right, 1)
	require.Zero(t, s.shares["light"])
	require.Contains(t, s.reasons, "light: sensor light: unplugged")
}

func TestReplayIsDeterministic(t *testing.T) {
	lines := func() (text []byte) {
		model, err := fusion.Load(roomModel)
		require.NoError(t, err)
		d, err := New(roomConfig(t, false), Environment{Model: model, Notify: &notes{}, OnResult: func(r *result.Result) {
			text = append(r.AppendJSON(text), '\n')
		}})
		require.NoError(t, err)
		require.NoError(t, d.Run(context.Background()))
		return text
	}
	first := lines()
	require.NotEmpty(t, first)
	require.Equal(t, string(first), string(lines()))
	require.Contains(t, string(first), `"time":"2017-12-22T13:31:02.000Z","time_quality":"recorded","mono_ns":0`)
}

// TestReplayLosesNothingToASlowSink: a recording's time can wait.
func TestReplayLosesNothingToASlowSink(t *testing.T) {
	c := roomConfig(t, false)
	c.Agent.Model = roomModel
	c.Sinks = append(c.Sinks, fileSink(t.TempDir()+"/out.jsonl", 1))
	d, err := New(c, Environment{Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(context.Background()))
	text, err := os.ReadFile(c.Sinks[0].Path)
	require.NoError(t, err)
	require.Equal(t, 760, strings.Count(string(text), "\n"))
}

func TestReplayOnce(t *testing.T) {
	model, err := fusion.Load(roomModel)
	require.NoError(t, err)
	var seen results
	d, err := New(roomConfig(t, false), Environment{Model: model, OnResult: seen.add, Notify: &notes{}, Once: true})
	require.NoError(t, err)
	require.NoError(t, d.Run(context.Background()))
	require.Equal(t, 1, seen.len())
}

func TestReplayErrors(t *testing.T) {
	dir := t.TempDir()
	bad := roomConfig(t, false)
	bad.Sensors[0].File = writeFile(t, dir, "bad.csv", "Date,Time,S1_Temp,Room_Occupancy_Count\n2017/12/22,13:31:02,warm,2\n")
	_, err := New(bad, Environment{})
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, "bad.csv")
	bad.Sensors[0].File = dir + "/none.csv"
	_, err = New(bad, Environment{})
	require.ErrorIs(t, err, ErrConfig)
}

// TestDecisionDoesNotAllocate runs readings and a tick again and again.
func TestDecisionDoesNotAllocate(t *testing.T) {
	model := tinyModel(t, twoFeatures)
	d, err := New(quiet(airSensor()), Environment{Model: model, Notify: &notes{}, OnResult: func(*result.Result) {}})
	require.NoError(t, err)
	p := d.pipeline
	p.begin()
	at, _ := p.nextTick()
	samples := sampleOf("co2", 0, 1)
	step := func() {
		at += tinyTick
		samples[0].At = at
		p.Deliver(p.sensors[0], sensor.Reading{Sensor: 0, At: at, Samples: samples})
		p.Advance(at)
	}
	for range 100 {
		step()
	}
	before := p.decided.Load()
	allocated := 1.0
	for try := 0; try < 5 && allocated > 0; try++ { // what other tests left running allocates too
		allocated = testing.AllocsPerRun(100, step)
	}
	require.Zero(t, allocated)
	require.Greater(t, p.decided.Load(), before)
}

// BenchmarkReplay is one decision of the room, from the recording's rows to the
// Result.
func BenchmarkReplay(b *testing.B) {
	n := 0
	for b.Loop() {
		n += replayRoom(b, roomConfig(b, false)).decisions
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/decision")
}
