package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
)

// One broker brings regions of another board and takes decisions and labels: what
// comes in decides, what is malformed fails its sensor, and what somebody chooses in
// Home Assistant is in the recording.
func TestBrokerInAndOut(t *testing.T) {
	broker := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, broker.AddHook(&anybody{}, nil))
	l := listeners.NewTCP(listeners.Config{ID: "test", Address: "127.0.0.1:0"})
	require.NoError(t, broker.AddListener(l))
	require.NoError(t, broker.Serve())
	defer broker.Close()
	send := func(topic, payload string) { require.NoError(t, broker.Publish(topic, []byte(payload), false, 0)) }

	dir := t.TempDir()
	c := quiet(sensor.Config{Alias: "board", Type: sensor.MQTT, URL: "mqtt://" + l.Address(), Topic: "other/regions", DataFormat: sensor.FormatRegions})
	c.Agent.Trigger = TriggerPush
	c.Record = recordTo(dir)
	c.Sinks = []sink.Config{{Type: sink.KindMQTT, URL: "mqtt://" + l.Address(), Topic: "room", HomeAssistant: true}}
	d, err := New(c, Environment{Model: tinyModel(t, pushFeatures), Notify: &notes{}})
	require.NoError(t, err)
	stop := run(t, d)
	arrives := func(condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, 20*time.Second, time.Millisecond)
	}
	arrives(func() bool { return retained(broker, "room/label") == "none" && broker.Info.Clone().Subscriptions >= 3 })

	send("other/regions", `{"regions":{"light":[[3],[2]],"air":[[-1]]}}`)
	arrives(func() bool { return d.Status().Sensors[0].Reads == 1 && d.Status().Answered == 1 })
	for _, bad := range []string{`{"regions":{"light":[[3]`, `{"regions":{"sound":[[1]]}}`, `{"regions":{"light":[[1],[2],[3]]}}`, "\xff", "[]"} {
		before := d.Status().Sensors[0].Errors
		send("other/regions", bad)
		arrives(func() bool { return d.Status().Sensors[0].Errors == before+1 })
	}
	require.EqualValues(t, 1, d.Status().Answered)

	send("room/label/set", "bright")
	arrives(func() bool { return retained(broker, "room/label") == "bright" })
	send("room/label/set", "none")
	arrives(func() bool { return retained(broker, "room/label") == "none" })
	require.NoError(t, stop())

	files, err := filepath.Glob(filepath.Join(dir, "*.labels.mcap"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	file, err := os.Open(files[0])
	require.NoError(t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(t, err)
	tape, err := record.Load([]record.Source{{Name: files[0], ReaderAt: file, Size: info.Size()}})
	require.NoError(t, err)
	require.Len(t, tape.Labels, 2)
	require.Equal(t, "bright", tape.Labels[0].Label)
	require.Equal(t, "homeassistant", tape.Labels[0].Source)
	require.Empty(t, tape.Labels[1].Label)
	require.Equal(t, "bright", tape.Truth(tape.Labels[1].From-1))
	require.Empty(t, tape.Truth(tape.Labels[1].From))
}
