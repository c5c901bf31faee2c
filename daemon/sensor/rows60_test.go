package sensor

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// TestRow60PanicOfAProgram: what reads a program or a device with a buffer of its own
// may panic: that is a failed reading, and it is begun again after a wait that grows.
func TestRow60PanicOfAProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const panics = 20
		origin := time.Now()
		p := NewPrograms([]Config{script(FormatJSON, "", "temp")}, func() time.Duration { return time.Since(origin) },
			Hardware{}, func(int, string) {})[0]
		var begun atomic.Int64
		p.begin = func(_ context.Context, deliver func(Reading)) (bool, error) {
			if begun.Add(1) <= panics {
				panic("index out of range")
			}
			p.deliver(deliver, Reading{})
			return true, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		var l log
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, l.deliver) }()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		n := int(begun.Load())
		require.Len(t, l.errors(), n, "each is counted")
		require.EqualError(t, l.errors()[0], "reading it panicked: index out of range")
		require.Greater(t, n, 8)
		require.Less(t, n, 14, "after 1, 2, 4 s and so on, up to a minute")
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		require.NoError(t, l.all()[panics].Err, "it delivers again")
		stop()
		require.NoError(t, <-done)
	})
}

// TestRow60PanicEndsTheCommand: the command whose output nobody could read does not
// live on beside its successor.
func TestRow60PanicEndsTheCommand(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	origin := time.Now()
	p := NewPrograms([]Config{script(FormatJSON, fmt.Sprintf(`echo $$ > %s; echo '{"temp":1}'; exec sleep 600`, pid), "temp")},
		func() time.Duration { return time.Since(origin) }, Hardware{}, func(int, string) {})[0]
	p.read = func(_ context.Context, from io.Reader, _ *time.Timer, _ func(Reading)) (bool, error) {
		_, err := from.Read(make([]byte, 1))
		require.NoError(t, err)
		panic("a bug")
	}
	good, err := p.begin(t.Context(), func(Reading) {})
	require.False(t, good)
	require.EqualError(t, err, "reading it panicked: a bug")
	require.False(t, alive(t, pid))
}

// TestRow60PanicOfASubscriber: a message that the reader of its topic cannot cope with
// is a failure of the sensors of that broker, and the connection is made again.
func TestRow60PanicOfASubscriber(t *testing.T) {
	b := startBroker(t, "127.0.0.1:0", "")
	defer b.Close()
	c := mqttSensor("a", map[string]string{"value": "a"})
	c.URL = "mqtt://" + b.address
	require.NoError(t, c.Check())
	s := NewSubscribers([]Config{c}, func() time.Duration { return time.Second })[0]
	s.backoff = mqtt.Backoff{Least: 5 * time.Millisecond, Most: 50 * time.Millisecond}
	var h heard
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(r Reading) {
			if len(r.Samples) > 0 && r.Samples[0].Value == 13 {
				panic("a bug")
			}
			h.take(r)
		})
	}()
	failures := func() []error { _, all := h.of(0); return all }
	eventually(t, func() bool {
		_ = b.Publish("a", []byte("13"), false, 0)
		return len(failures()) >= 2
	})
	for _, err := range failures() {
		require.ErrorContains(t, err, "reading it panicked: a bug")
	}
	eventually(t, func() bool {
		_ = b.Publish("a", []byte("7"), false, 0)
		values, _ := h.of(0)
		return len(values) > 0
	})
	stop()
	require.NoError(t, <-done)
}
