package daemon

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// recordPushes records two minutes of a daemon that has push sensors alone, in virtual
// time: every ten seconds a sample, or the regions of a modality. What is true is said
// while it is, in hindsight, and to be over, as truthOf has it.
func recordPushes(t *testing.T, trigger string, model *fusion.Model, regions bool) (pattern string, begin int64) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := quiet(airSensor())
		c.Agent.Trigger = trigger
		c.Record = recordTo(dir)
		d, err := New(c, Environment{Model: model, Notify: &notes{}})
		require.NoError(t, err)
		stop := run(t, d)
		synctest.Wait()
		begin = time.Now().UnixNano()
		label := func(l api.Label) {
			l.Source = "test"
			require.NoError(t, d.Label(t.Context(), &l))
		}
		time.Sleep(time.Second) // off the grid of ticks
		for i := range 12 {
			push := &api.Push{Samples: []api.Sample{{Channel: "co2", Value: float64(100 * i)}}}
			if regions {
				push = &api.Push{TTL: time.Minute, Regions: []api.Regions{{Modality: "air", Rows: 1, Features: 1, Data: []float32{float32(i)}}}}
			}
			require.NoError(t, d.Push(push))
			time.Sleep(5 * time.Second)
			switch i {
			case 1:
				label(api.Label{Label: "empty"})
			case 4:
				label(api.Label{Label: "two people"})
			case 8:
				now := time.Now()
				label(api.Label{Label: "one person", From: now.Add(-20 * time.Second), To: now.Add(-10 * time.Second)})
			case 9:
				label(api.Label{End: true})
			}
			time.Sleep(5 * time.Second)
		}
		synctest.Wait()
		require.NoError(t, stop())
	})
	return filepath.Join(dir, "*.mcap"), begin
}

// truthOf is what was said of so many seconds after the beginning.
func truthOf(seconds float64) string {
	switch {
	case seconds < 16, seconds >= 96:
		return ""
	case seconds < 46:
		return "empty"
	case seconds >= 66 && seconds < 76:
		return "one person"
	}
	return "two people"
}

// TestTruthOfPushes: what is true at a decision is the label that holds at its time,
// wherever the data came from and whatever made it decide.
func TestTruthOfPushes(t *testing.T) {
	for name, tc := range map[string]struct {
		trigger string
		regions bool
		model   bool // it decided while it was recorded
	}{
		"samples, ticks":                {trigger: TriggerTick, model: true},
		"samples, every push":           {trigger: TriggerPush, model: true},
		"regions, ticks":                {trigger: TriggerTick, model: true, regions: true},
		"regions, every push":           {trigger: TriggerPush, model: true, regions: true},
		"samples, no model, ticks":      {trigger: TriggerTick},
		"samples, no model, every push": {trigger: TriggerPush},
	} {
		t.Run(name, func(t *testing.T) {
			model := tinyModel(t, twoFeatures)
			var then *fusion.Model
			if tc.model {
				then = model
			}
			tape, begin := recordPushes(t, tc.trigger, then, tc.regions)
			c := quiet()
			c.Agent.Trigger = tc.trigger
			table := tableFile(t, c, Environment{Model: model, Notify: &notes{}}, []string{tape})
			require.JSONEq(t, `["empty","one person","two people"]`, table.Metadata["labels"])
			names := map[int64]string{unlabelled: "", 0: "empty", 1: "one person", 2: "two people"}
			times, labels := ints(t, table, "time_ns"), ints(t, table, "label")
			require.Len(t, labels, 12)
			for i, at := range times {
				require.Equal(t, truthOf(float64(at-begin)/1e9), names[labels[i]], i)
			}
		})
	}
}

// TestTruthIsRecordedAgain: what a replay that is recorded says of its decisions holds
// in that recording too.
func TestTruthIsRecordedAgain(t *testing.T) {
	model, dir := tinyModel(t, twoFeatures), t.TempDir()
	tape, _ := recordPushes(t, TriggerTick, model, false)
	first := &results{}
	c := quiet(sensor.Config{Alias: "tape", Type: sensor.Recorded, File: tape, Speed: "max"})
	c.Record = recordTo(dir)
	d, err := New(c, Environment{Model: model, OnResult: first.add, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(t.Context()))
	again := replayTape(t, filepath.Join(dir, "*.mcap"), model)
	require.Equal(t, 12, first.len())
	require.Equal(t, 12, again.len())
	for i := range first.all {
		require.Equal(t, first.all[i].Truth, again.all[i].Truth, i)
	}
	require.Equal(t, "empty", again.all[1].Truth, "it began after the newest push")
}
