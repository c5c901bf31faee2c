package sink

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"
)

// mosquitto is Debian's broker, in a process of its own.
type mosquitto struct {
	path, config, address string
	process               *exec.Cmd
}

// newMosquitto prepares a broker that wants a password. The test is skipped where
// there is no mosquitto.
func newMosquitto(t *testing.T, password string) *mosquitto {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		t.Skip("mosquitto is missing: install it to run this test")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, _ := net.SplitHostPort(address)

	dir := t.TempDir()
	users, config := filepath.Join(dir, "users"), filepath.Join(dir, "mosquitto.conf")
	require.NoError(t, os.WriteFile(users, []byte("board:"+password+"\n"), 0o600))
	out, err := exec.Command(filepath.Join(filepath.Dir(path), "../bin/mosquitto_passwd"), "-U", users).CombinedOutput()
	require.NoError(t, err, "%s", out)
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous false\npassword_file %s\npersistence false\n", port, users)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	m := &mosquitto{path: path, config: config, address: address}
	t.Cleanup(m.stop)
	return m
}

// start returns once the broker listens.
func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.process = exec.Command(m.path, "-c", m.config)
	require.NoError(t, m.process.Start())
	eventually(t, "mosquitto listens", func() bool {
		c, err := net.DialTimeout("tcp", m.address, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) stop() {
	if m.process != nil {
		_ = m.process.Process.Kill()
		_ = m.process.Wait()
		m.process = nil
	}
}

// watcher is a subscriber to everything.
type watcher struct {
	client *paho.Client
	mu     sync.Mutex
	all    []delivery
}

func (m *mosquitto) watch(t *testing.T, password string) *watcher {
	t.Helper()
	c, err := net.Dial("tcp", m.address)
	require.NoError(t, err)
	w := &watcher{}
	w.client = paho.NewClient(paho.ClientConfig{Conn: c, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(p paho.PublishReceived) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.all = append(w.all, delivery{p.Packet.Topic, string(p.Packet.Payload), p.Packet.Properties.User.Get("late")})
			return true, nil
		},
	}})
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	_, err = w.client.Connect(ctx, &paho.Connect{ClientID: "watcher", CleanStart: true,
		Username: "board", UsernameFlag: true, Password: []byte(password), PasswordFlag: true})
	require.NoError(t, err)
	_, err = w.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}})
	require.NoError(t, err)
	return w
}

// on returns what came on the topics of a list.
func (w *watcher) on(topics ...string) []delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (&testBroker{all: w.all}).on(topics...)
}

func (w *watcher) last(topic string) string {
	if all := w.on(topic); len(all) > 0 {
		return all[len(all)-1].payload
	}
	return ""
}

// The whole life of a sink with a broker that people run: refused, let in,
// announced, bereft of its broker, back, gone without a word, and stopped.
func TestMosquitto(t *testing.T) {
	const password = "a good one"
	broker := newMosquitto(t, password)
	broker.start(t)
	file := filepath.Join(t.TempDir(), "mqtt.password")
	require.NoError(t, os.WriteFile(file, []byte("wrong"), 0o600))
	p := startProxy(t, broker.address, pass)
	m, _ := startMQTT(t, p.address, Config{Username: "board", PasswordFile: file, HomeAssistant: true}, quick)
	eventually(t, "refused", func() bool { return m.LastError() != nil })
	require.ErrorContains(t, m.LastError(), "check username and password_file")

	require.NoError(t, os.WriteFile(file, []byte(password), 0o600))
	m.Offer(labelled(1, "empty"))
	eventually(t, "delivered", func() bool { return m.Written() == 1 })
	w := broker.watch(t, password)
	eventually(t, "retained", func() bool { return len(w.on(thisTest.topic(), statusTopic, stateTopic)) == 3 })
	want, err := thisTest.payload("ragedge/1a2b3c4d")
	require.NoError(t, err)
	require.Equal(t, string(want), w.last(thisTest.topic()))
	require.Equal(t, "online", w.last(statusTopic))

	_, err = w.client.Publish(t.Context(), &paho.Publish{Topic: birthTopic, QoS: 1, Payload: []byte("online")})
	require.NoError(t, err)
	eventually(t, "announced again", func() bool { return len(w.on(thisTest.topic())) == 2 && len(w.on(stateTopic)) == 2 })

	p.set(reset)
	eventually(t, "the will", func() bool { return w.last(statusTopic) == "offline" })
	p.set(pass)
	eventually(t, "back", func() bool { return w.last(statusTopic) == "online" })

	broker.stop()
	eventually(t, "gone", func() bool { return !m.Connected() })
	for seq := uint64(2); seq <= 9; seq++ {
		m.Offer(labelled(seq, fmt.Sprint(seq)))
	}
	broker.start(t)
	w = broker.watch(t, password)
	eventually(t, "delivered", func() bool { return m.Written() == 9 && strings.Contains(w.last(stateTopic), `"seq":9,`) })
	require.NoError(t, closeInTime(t, m))
	eventually(t, "stopped", func() bool { return w.last(statusTopic) == "stopped" })
	require.NoError(t, w.client.Disconnect(&paho.Disconnect{}))
	for _, d := range w.on(lateTopic) {
		require.NotEmpty(t, d.late)
	}
	require.Zero(t, m.Dropped()+m.Thinned())
}
