package daemon

import (
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

func fileSink(path string, queue int) sink.Config {
	return sink.Config{Type: sink.File, Path: path, Queue: queue}
}

func sampleOf(channel string, at time.Duration, value float64) []encoder.Sample {
	return []encoder.Sample{{Channel: channel, At: at, Value: value}}
}

// pushFeatures is tinyModel fed by other processes only.
const pushFeatures = `{"modalities":{"light":{"encoder":"push","regions":2,"stale_after":"20s"},"air":{"encoder":"push","regions":2}}}`

func newPushed(t *testing.T) (*Daemon, *results) {
	c := quiet()
	c.Agent.Trigger = TriggerPush
	seen := &results{}
	d, err := New(c, Environment{Model: tinyModel(t, pushFeatures), Notify: &notes{}, OnResult: seen.add})
	require.NoError(t, err)
	d.open(t.Context(), func(error) {})
	return d, seen
}

func regions(modality string, values ...float32) api.Regions {
	return api.Regions{Modality: modality, Rows: len(values), Features: 1, Data: values}
}

func TestPushDecides(t *testing.T) {
	d, seen := newPushed(t)
	require.NoError(t, d.Push(&api.Push{Regions: []api.Regions{regions("light", 3, 2), regions("air", -1)}}))
	r := seen.last(t)
	require.Equal(t, "bright", r.Label)
	require.Equal(t, 2, part(r, "light").Rows)
	require.Equal(t, 1, part(r, "air").Rows)
}

func TestPushIsAllOrNothing(t *testing.T) {
	d, seen := newPushed(t)
	require.NoError(t, d.Push(&api.Push{Regions: []api.Regions{regions("light", 3)}}))
	for _, c := range []struct {
		name string
		push api.Push
		kind error
		want string
	}{
		{"unknown modality", api.Push{Regions: []api.Regions{regions("light", -9), regions("smell", 1)}}, api.ErrUnknown, "modality smell"},
		{"too many rows", api.Push{Regions: []api.Regions{regions("light", -9), regions("air", 1, 2, 3)}}, api.ErrInvalid, "modality air: 3 rows, at most 2"},
		{"features", api.Push{Regions: []api.Regions{regions("light", -9), {Modality: "air", Rows: 1, Features: 2, Data: []float32{1, 2}}}}, api.ErrInvalid, "modality air: 2 features, want 1"},
		{"unknown channel", api.Push{Regions: []api.Regions{regions("light", -9)}, Samples: []api.Sample{{Channel: "noise"}}}, api.ErrUnknown, "sample 0: unknown name: channel noise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := seen.len()
			err := d.Push(&c.push)
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, before, seen.len(), "nothing is decided")
			var r result.Result
			require.NoError(t, d.Decide(&api.Push{}, &r))
			require.Equal(t, "bright", r.Label, "what was pushed before still counts")
		})
	}
}

func TestPushedRegionsExpire(t *testing.T) {
	for _, c := range []struct {
		name     string
		age, ttl time.Duration
		present  bool
		reason   string
	}{
		{"fresh", 0, 0, true, ""},
		{"older than stale_after", 21 * time.Second, 0, false, "no data for more than 20s"},
		{"its own ttl", 21 * time.Second, time.Minute, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, seen := newPushed(t)
			require.NoError(t, d.Push(&api.Push{Age: c.age, TTL: c.ttl, Regions: []api.Regions{regions("light", 1)}}))
			light := part(seen.last(t), "light")
			require.Equal(t, c.present, light.Present)
			require.Equal(t, c.reason, light.Reason)
			require.InDelta(t, c.age.Seconds(), light.Age.Seconds(), 0.5)
			require.Equal(t, reasonNothing, part(seen.last(t), "air").Reason)
		})
	}
}

func TestPushNothingToSee(t *testing.T) {
	d, seen := newPushed(t)
	require.NoError(t, d.Push(&api.Push{Regions: []api.Regions{regions("light", 1)}}))
	require.NoError(t, d.Push(&api.Push{Regions: []api.Regions{regions("light")}}))
	require.Equal(t, reasonEmpty, part(seen.last(t), "light").Reason)
	require.Equal(t, reasonAllAbsent, seen.last(t).Reason)
}

func TestPushSamples(t *testing.T) {
	d, err := New(quiet(lightSensor(), airSensor()), Environment{
		Model: tinyModel(t, twoFeatures), Notify: &notes{}, Hardware: sensor.Hardware{I2C: (&fakeBus{}).open},
	})
	require.NoError(t, err)
	d.pipeline.begin()
	err = d.Push(&api.Push{Samples: []api.Sample{{Channel: "lux", Value: 1}}})
	require.ErrorIs(t, err, api.ErrInvalid)
	require.ErrorContains(t, err, "channel lux is sensor desk's")
	err = d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 1, Time: time.Now().Add(time.Hour)}}})
	require.ErrorIs(t, err, api.ErrInvalid)
	require.ErrorContains(t, err, "in the future")

	require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 5, Time: time.Now().Add(-3 * time.Second)}}}))
	var r result.Result
	require.NoError(t, d.Decide(&api.Push{}, &r))
	air := part(&r, "air")
	require.True(t, air.Present)
	require.InDelta(t, 3, air.Age.Seconds(), 0.5)
	require.EqualValues(t, 1, d.Status().Sensors[1].Reads)
}

func TestDecideNeedsAModel(t *testing.T) {
	d, err := New(quiet(airSensor()), Environment{Notify: &notes{}})
	require.NoError(t, err)
	var r result.Result
	require.ErrorIs(t, d.Decide(&api.Push{}, &r), api.ErrNotReady)
}
