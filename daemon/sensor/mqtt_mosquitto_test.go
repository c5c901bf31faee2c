package sensor

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// freeAddress is one on which nobody listens, for a broker that comes and goes.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// startMosquitto starts Debian's broker at an address, and returns how to kill it.
// The test is skipped where there is none.
func startMosquitto(t *testing.T, address string) (kill func()) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		t.Skip("mosquitto is missing: install it to run this test")
	}
	_, port, _ := net.SplitHostPort(address)
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\npersistence false\n", port)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	c := exec.Command(path, "-c", config)
	require.NoError(t, c.Start())
	eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// newPublisher publishes as a device of another maker does, and leaves a last will.
func newPublisher(t *testing.T, address, will string) (publish func(topic, payload string, retain bool), die func()) {
	t.Helper()
	broker, err := mqtt.NewBroker(mqtt.Login{URL: "mqtt://" + address})
	require.NoError(t, err)
	session, err := broker.Connect(t.Context(), mqtt.Options{
		ClientID: "device", Timeout: 10 * time.Second, Answer: 10 * time.Second, KeepAlive: 30 * time.Second, MaxPacket: 1 << 10,
		Will: &mqtt.Message{Topic: cmp.Or(will, "none"), Payload: []byte("offline"), Retain: true},
	})
	require.NoError(t, err)
	return func(topic, payload string, retain bool) {
		require.NoError(t, session.Publish(mqtt.Message{Topic: topic, Payload: []byte(payload), Retain: retain}))
	}, session.Drop
}

// A real broker: a device that comes and goes, the broker's end and return, and
// what it had kept.
func TestSubscriberMosquitto(t *testing.T) {
	address := freeAddress(t)
	kill := startMosquitto(t, address)
	defer func() { kill() }()
	publish, die := newPublisher(t, address, "office/status")
	publish("office/sensor/co2/state", "1", true) // kept from before
	publish("office/status", "online", true)

	co2 := mqttSensor("office/sensor/+/state", map[string]string{"co2": "co2"})
	co2.Availability = "office/status"
	_, h := startSubscriber(t, address, co2, mqttSensor("office/sensor/#", map[string]string{"lux.state": "lux"}))
	eventually(t, func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.all) == 1 })
	require.NoError(t, h.all[0].Err, "online")
	eventually(t, func() bool {
		publish("office/sensor/co2/state", "812", true)
		publish("office/sensor/lux/state", "300", false)
		values, _ := h.of(0)
		others, _ := h.of(1)
		return len(values) > 0 && values[0] == 812 && len(others) > 0 && others[0] == 300
	})
	die()
	eventually(t, func() bool { _, failures := h.of(0); return len(failures) == 1 })
	_, failures := h.of(0)
	require.ErrorIs(t, failures[0], ErrUnplugged)

	kill()
	eventually(t, func() bool { _, failures := h.of(0); return len(failures) >= 4 })
	values, _ := h.of(0)
	before := len(values)
	kill = startMosquitto(t, address)
	publish, _ = newPublisher(t, address, "")
	eventually(t, func() bool {
		publish("office/sensor/co2/state", "813", true)
		values, _ := h.of(0)
		return len(values) > before && values[len(values)-1] == 813
	})
}

// A broker may send a message once for each subscription that it matches: mosquitto
// does. Every sensor gets it once all the same.
func TestOverlappingTopicsMosquitto(t *testing.T) {
	address := freeAddress(t)
	defer startMosquitto(t, address)()
	publish, _ := newPublisher(t, address, "")
	_, h := startSubscriber(t, address,
		mqttSensor("z/hall", map[string]string{"value": "hall"}),
		mqttSensor("z/+", map[string]string{"hall": "all", "end": "end"}),
		mqttSensor("+/hall", map[string]string{"z": "other"}))
	eventually(t, func() bool { // until all have subscribed
		publish("z/hall", "-1", false)
		for i := range 3 {
			if values, _ := h.of(i); len(values) == 0 {
				return false
			}
		}
		return true
	})
	publish("z/hall", "7", false)
	publish("z/hall", "8", false)
	count := func(values []float64, want float64) (n int) {
		for _, v := range values {
			if v == want {
				n++
			}
		}
		return n
	}
	for i := range 3 {
		eventually(t, func() bool { values, _ := h.of(i); return count(values, 8) > 0 })
		values, _ := h.of(i)
		require.Equal(t, 1, count(values, 7), "sensor %d", i)
	}
}
