package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/result"
)

// anybody lets every client in.
type anybody struct{ mochi.HookBase }

func (*anybody) ID() string { return "anybody" }
func (*anybody) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*anybody) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*anybody) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func startBroker(t *testing.T) (b *mochi.Server, address string) {
	b = mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, b.AddHook(&anybody{}, nil))
	l := listeners.NewTCP(listeners.Config{ID: "test", Address: "127.0.0.1:0"})
	require.NoError(t, b.AddListener(l))
	require.NoError(t, b.Serve())
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b, l.Address()
}

// retained returns the retained message of a topic, "" without one.
func retained(b *mochi.Server, topic string) string {
	for _, m := range b.Topics.Messages(topic) {
		return string(m.Payload)
	}
	return ""
}

// A broker that is not there stops nothing, and is seen everywhere; the one that
// is there gets the model's announcement and every decision.
func TestBrokers(t *testing.T) {
	broker, address := startBroker(t)
	c := quiet()
	c.Agent.Trigger = TriggerPush
	c.Sinks = []sink.Config{
		{Type: sink.KindMQTT, URL: "mqtt://" + address, Topic: "room", HomeAssistant: true},
		{Type: sink.KindMQTT, URL: "mqtt://127.0.0.1:1", Topic: "room"},
	}
	d, err := New(c, Environment{Model: tinyModel(t, pushFeatures), Notify: &notes{}, Version: "1.2.3"})
	require.NoError(t, err)
	require.NoError(t, d.open(t.Context(), func(error) {}))
	require.Eventually(t, func() bool {
		sinks := d.Status().Sinks
		return *sinks[0].Connected && sinks[1].LastError != ""
	}, 10*time.Second, time.Millisecond)

	var r result.Result
	for range 3 {
		require.NoError(t, d.Decide(&api.Push{Regions: []api.Regions{regions("light", 3)}}, &r))
	}
	require.Eventually(t, func() bool { return d.Status().Sinks[0].Written == 3 }, 10*time.Second, time.Millisecond)

	s := d.Status()
	require.Equal(t, api.StateDegraded, s.State)
	require.Contains(t, s.Reason, "sink mqtt: ")
	require.Contains(t, s.Sinks[1].LastError, "connection refused")
	require.False(t, *s.Sinks[1].Connected)
	require.Equal(t, 3, s.Sinks[1].Waiting)
	require.NoError(t, d.Live(), "the watchdog is content")
	var text bytes.Buffer
	d.WriteMetrics(&text)
	for _, line := range []string{
		`ragedge_output_connected{output="mqtt-1"} 1`,
		`ragedge_output_connects_total{output="mqtt-1"} 1`,
		`ragedge_output_written_total{output="mqtt-1"} 3`,
		`ragedge_output_connected{output="mqtt-2"} 0`,
		`ragedge_output_queue_length{output="mqtt-2"} 3`,
		`ragedge_output_thinned_total{output="mqtt-2"} 0`,
		`ragedge_output_late_total{output="mqtt-2"} 0`,
	} {
		require.Contains(t, text.String(), line+"\n")
	}
	d.drain()
	require.Equal(t, string(r.AppendJSON(nil)), retained(broker, "room/state"))
	require.Equal(t, "stopped", retained(broker, "room/status"))
	config := retained(broker, "homeassistant/device/ragedge_"+mqtt.ThisBoard().ID+"/config")
	for _, part := range []string{`"options":["dark","bright"]`, `"problem_light"`, `"share_air"`, `"sw_version":"1.2.3"`} {
		require.Contains(t, config, part)
	}
}

func TestLoadConfigMQTT(t *testing.T) {
	dir, credentials := t.TempDir(), t.TempDir()
	path := writeFile(t, dir, "c.toml", `
[[sink]]
type = "mqtt"
url = "mqtts://broker:8883"
username = "board"
password_file = "mqtt.password"
ca_file = "ca.pem"
homeassistant = true
`)
	c, err := LoadConfig(path, "")
	require.NoError(t, err)
	require.NoError(t, c.Check(), "without touching a file")
	require.Equal(t, filepath.Join(dir, "mqtt.password"), c.Sinks[0].PasswordFile)
	require.Equal(t, filepath.Join(dir, "ca.pem"), c.Sinks[0].CAFile)
	require.ErrorIs(t, c.CheckFiles(), os.ErrNotExist)
	require.ErrorIs(t, c.CheckFiles(), ErrConfig)
	require.Empty(t, c.Warnings(), "without a model the readings are announced")

	// A credential that systemd hands over goes before a file of the same name.
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	c, err = LoadConfig(path, "")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "mqtt.password"), c.Sinks[0].PasswordFile, "there is none")
	secret := writeFile(t, credentials, "mqtt.password", "hunter2")
	require.NoError(t, os.Chmod(secret, 0o400))
	c, err = LoadConfig(path, "")
	require.NoError(t, err)
	require.Equal(t, secret, c.Sinks[0].PasswordFile)

	c.Sinks[0].CAFile = ""
	require.NoError(t, c.CheckFiles())
	require.NoError(t, os.Chmod(secret, 0o444))
	_, err = New(c, Environment{})
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "sink 1: password_file: "+secret+": mode 0444 opens it to everybody")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestCheckBrokers(t *testing.T) {
	c := quiet()
	c.Sinks = []sink.Config{
		{Type: sink.Stdout},
		{Type: sink.KindMQTT, URL: "mqtt://a"},
		{Type: sink.KindMQTT, URL: "mqtt://b"},
		{Type: sink.KindMQTT, URL: "mqtt://a", Topic: "other"},
	}
	require.NoError(t, c.Check())
	c.Sinks[3].Topic = ""
	require.ErrorContains(t, c.Check(), "sink: 4: the same url and topic as sink 2: give one of them another topic")
}

func TestUnknownMQTTKey(t *testing.T) {
	c := DefaultConfig()
	err := parseConfig([]byte("[[sink]]\ntype = \"mqtt\"\npassword = \"hunter2\"\n"), &c)
	require.ErrorContains(t, err, "3:1: unknown key sink.password")
	require.NotContains(t, err.Error(), "hunter2")
}

// A reload leaves a sink that is the same its connection. One that changed on the
// same topic, as the same client, has said its farewell before the next one comes:
// the board stays online, and no decision is lost.
func TestReloadOfABrokersSink(t *testing.T) {
	broker, address := startBroker(t)
	r := newReloadable(t, airSensor())
	r.config.Agent.Trigger = TriggerPush
	same := sink.Config{Type: sink.KindMQTT, URL: "mqtt://" + address, Topic: "same", HomeAssistant: true}
	changed := sink.Config{Type: sink.KindMQTT, URL: "mqtt://" + address, Topic: "changed"}
	r.config.Sinks = []sink.Config{same, changed}
	r.start(t)
	stop := run(t, r.Daemon)
	require.Eventually(t, func() bool { return r.reloads.announced.Load() }, 10*time.Second, time.Millisecond)
	connected := func() bool {
		for _, s := range r.Status().Sinks {
			if !*s.Connected {
				return false
			}
		}
		return true
	}
	require.Eventually(t, connected, 10*time.Second, time.Millisecond)
	var got result.Result
	for i := range 5 {
		for range 10 {
			require.NoError(t, r.Decide(&api.Push{Regions: []api.Regions{regions("air", 1)}}, &got))
		}
		changed.Queue = 100 + i
		r.config.Sinks = []sink.Config{changed, same}
		require.NoError(t, r.Reload())
		require.NoError(t, r.Decide(&api.Push{Regions: []api.Regions{regions("air", 1)}}, &got))
		require.Eventually(t, connected, 10*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool {
		return retained(broker, "changed/state") == string(got.AppendJSON(nil)) && retained(broker, "same/state") == string(got.AppendJSON(nil))
	}, 10*time.Second, time.Millisecond)
	require.Equal(t, "online", retained(broker, "changed/status"))
	require.Eventually(t, func() bool { return r.Status().Sinks[1].Written == int64(got.Seq) }, 10*time.Second, time.Millisecond)
	sinks := r.Status().Sinks
	require.Zero(t, sinks[0].Dropped+sinks[1].Dropped)
	r.metric(t, `ragedge_output_connects_total{output="mqtt-2"} 1`)
	r.metric(t, `ragedge_output_errors_total{output="mqtt-1"} 0`)
	require.NoError(t, stop())
}
