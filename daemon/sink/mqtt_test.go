package sink

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

// thisTest is a board with a model that tells two labels apart.
var thisTest = Announcement{
	Board:   mqtt.Board{ID: "1a2b3c4d", Name: "Pump room", Model: "Raspberry Pi Zero 2 W"},
	Version: "0.3.0", Labels: []string{"empty", "2 people"}, Modalities: []string{"light"}, Every: 30 * time.Second,
}

const (
	stateTopic  = "ragedge/1a2b3c4d/state"
	lateTopic   = "ragedge/1a2b3c4d/late"
	statusTopic = "ragedge/1a2b3c4d/status"
)

// logText is a log to search in.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startMQTT starts a sink for a broker at an address. When the test ends it is
// closed, and must leave no goroutine behind.
func startMQTT(t testing.TB, address string, c Config, timing timing) (*MQTT, *logText) {
	t.Helper()
	return startMQTTAfter(t, nil, address, c, timing)
}

// startMQTTAfter starts one that waits for begin.
func startMQTTAfter(t testing.TB, begin <-chan struct{}, address string, c Config, timing timing) (*MQTT, *logText) {
	t.Helper()
	c.Type = KindMQTT
	if c.URL == "" {
		c.URL = "mqtt://" + address
	}
	c = c.WithDefaults()
	require.NoError(t, c.Check())
	log := &logText{}
	m, err := newMQTT(c, thisTest, nil, slog.New(slog.NewTextHandler(log, nil)), timing, begin)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, stop := context.WithCancel(context.Background())
		stop() // at once
		_ = m.Close(ctx)
		noneLeft(t)
	})
	return m, log
}

// noneLeft waits until no goroutine of the sink or of its library is left.
func noneLeft(t testing.TB) {
	t.Helper()
	var stacks string
	gone := func() bool {
		var b bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
		stacks = b.String()
		return !strings.Contains(stacks, "sink.(*MQTT)") && !strings.Contains(stacks, "eclipse/paho")
	}
	if !assert.Eventually(t, gone, 10*time.Second, 5*time.Millisecond) {
		t.Fatal(stacks)
	}
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 2*time.Millisecond, what)
}

// closeInTime closes m as the daemon does.
func closeInTime(t testing.TB, m Output) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	return m.Close(ctx)
}

// finish closes m and waits until b, which acknowledges before it passes on, has
// passed everything on.
func finish(t testing.TB, m *MQTT, b *testBroker) {
	t.Helper()
	require.NoError(t, closeInTime(t, m))
	eventually(t, "stopped", func() bool {
		all := b.payloads(m.config.Topic + "/status")
		return len(all) > 0 && all[len(all)-1] == "stopped"
	})
}

// labelled is the Result with a sequence number and a label.
func labelled(seq uint64, label string) *result.Result {
	r := answer(seq)
	r.Label = label
	return r
}

func TestMQTTPublishes(t *testing.T) {
	b := startBroker(t, nil, nil)
	m, log := startMQTT(t, b.address, Config{}, quick)
	require.NoError(t, m.LastError())
	eventually(t, "online", func() bool { return m.Connected() && b.retained(statusTopic) == "online" })
	for seq := uint64(1); seq <= 3; seq++ {
		m.Offer(answer(seq))
	}
	finish(t, m, b)

	require.Equal(t, []uint64{1, 2, 3}, seqs(t, b.on(stateTopic)))
	require.Equal(t, string(answer(1).AppendJSON(nil)), b.payloads(stateTopic)[0], "the JSON form of a Result")
	require.Equal(t, string(answer(3).AppendJSON(nil)), b.retained(stateTopic))
	require.Empty(t, b.on(lateTopic))
	require.Equal(t, []string{"online", "stopped"}, b.payloads(statusTopic), "stopped, not gone")
	require.Equal(t, "stopped", b.retained(statusTopic))
	require.EqualValues(t, 3, m.Written())
	require.EqualValues(t, 1, m.Connects())
	require.Zero(t, m.Errors()+m.Dropped()+m.Thinned()+m.Late())
	require.Contains(t, log.String(), "connected")

	m.Offer(answer(4))
	require.ErrorIs(t, m.OfferWait(t.Context(), answer(5)), errClosed)
	require.EqualValues(t, 2, m.Dropped(), "a closed sink counts what it is still offered")
	require.NoError(t, closeInTime(t, m), "closing twice is harmless")
}

// One that replaces another takes Results in and connects only when the other has
// left; one that nobody needs after all never connects.
func TestMQTTBeginsWhenItMay(t *testing.T) {
	b := startBroker(t, nil, nil)
	old, _ := startMQTT(t, b.address, Config{}, quick)
	eventually(t, "online", old.Connected)
	begin := make(chan struct{})
	m, _ := startMQTTAfter(t, begin, b.address, Config{Queue: 9}, quick)
	old.Offer(answer(1))
	m.Offer(answer(2))
	finish(t, old, b)
	require.Zero(t, m.Connects()+m.Errors())
	require.Equal(t, 1, m.Len())
	require.EqualValues(t, 1, old.Connects(), "it was not pushed off its place")
	close(begin)
	eventually(t, "written", func() bool { return m.Written() == 1 })
	finish(t, m, b)
	require.Equal(t, []string{"online", "stopped", "online", "stopped"}, b.payloads(statusTopic))
	require.Equal(t, []uint64{1, 2}, seqs(t, b.on(stateTopic)))

	unused, _ := startMQTTAfter(t, make(chan struct{}), b.address, Config{}, quick)
	require.NoError(t, closeInTime(t, unused))
	require.Zero(t, unused.Connects())
}

func TestMQTTOnATopicOfItsOwn(t *testing.T) {
	b := startBroker(t, nil, nil)
	m, _ := startMQTT(t, b.address, Config{Topic: "home/pump"}, quick)
	m.Offer(answer(1))
	finish(t, m, b)
	require.Equal(t, []uint64{1}, seqs(t, b.on("home/pump/state")))
	require.Equal(t, []string{"online", "stopped"}, b.payloads("home/pump/status"))
	require.Empty(t, b.retained("homeassistant/device/ragedge_1a2b3c4d/config"), "nobody asked for Home Assistant")
}

// A board that goes away without a word is offline for everybody, and online
// again once it is back.
func TestMQTTLastWill(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, pass)
	m, log := startMQTT(t, p.address, Config{}, quick)
	eventually(t, "online", func() bool { return b.retained(statusTopic) == "online" })
	p.set(reset)
	eventually(t, "the will", func() bool { return b.retained(statusTopic) == "offline" })
	eventually(t, "the sink notices", func() bool { return !m.Connected() })
	require.Error(t, m.LastError())
	p.set(pass)
	eventually(t, "back", func() bool { return b.retained(statusTopic) == "online" && m.Connected() })
	require.NoError(t, m.LastError())
	require.EqualValues(t, 2, m.Connects())
	require.Positive(t, m.Errors())
	require.Contains(t, log.String(), "no connection to the broker")
	finish(t, m, b)
	require.Equal(t, []string{"online", "offline", "online", "stopped"}, b.payloads(statusTopic))
}

// Without a broker at the start nothing waits; when it comes, changes arrive in
// order and marked as late, and the newest Result as the state.
func TestRow46BrokerDownAtBoot(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, _ := startMQTT(t, p.address, Config{Queue: 8}, quick)
	eventually(t, "the first failure", func() bool { return m.LastError() != nil })
	changes := []uint64{1, 100, 101, 500}
	for seq := uint64(1); seq <= 1000; seq++ {
		label := "empty"
		if seq == 100 || seq >= 500 { // there and back, and there to stay
			label = "2 people"
		}
		m.Offer(labelled(seq, label))
	}
	require.LessOrEqual(t, m.Len(), 8)
	require.Zero(t, m.Due())
	p.set(pass)
	eventually(t, "everything", func() bool { return m.Len() == 0 && b.retained(stateTopic) != "" })
	finish(t, m, b)

	late := b.on(lateTopic)
	for _, d := range late {
		require.Regexp(t, `^\d+$`, d.late, "its age in seconds")
	}
	got := append(seqs(t, late), seqs(t, b.on(stateTopic))...)
	require.True(t, slices.IsSorted(got), "%d", got)
	require.Subset(t, got, changes)
	require.EqualValues(t, 1000, got[len(got)-1])
	require.Equal(t, []uint64{1000}, seqs(t, b.on(stateTopic)), "only the newest is the state")
	require.EqualValues(t, len(late), m.Late())
	require.Zero(t, m.Dropped())
	require.EqualValues(t, 1000, m.Written()+m.Thinned())
}

// Row 46 of the fault list, flapping: whatever is not thinned out arrives, in
// order, though some twice.
func TestRow46FlappingBroker(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, pass)
	m, _ := startMQTT(t, p.address, Config{Queue: 4096}, quick)
	const last = 400
	for seq := uint64(1); seq <= last; seq++ {
		m.Offer(labelled(seq, fmt.Sprint(seq))) // each a change
		if seq%80 == 0 {
			p.set(reset)
			eventually(t, "gone", func() bool { return !m.Connected() })
			p.set(pass)
		}
		if seq%80 == 40 {
			eventually(t, "back", func() bool { return m.Connected() })
		}
	}
	eventually(t, "all", func() bool { return m.Written() == last })
	finish(t, m, b)
	got := seqs(t, b.on(stateTopic, lateTopic))
	require.True(t, slices.IsSorted(got), "in order")
	require.Len(t, slices.Compact(got), last, "each at least once")
	require.Zero(t, m.Dropped()+m.Thinned())
	require.Greater(t, m.Connects(), int64(3))
}

// Row 46, half-open: a broker that stops answering holds up nobody, and is given
// up after the time for an answer.
func TestRow46HalfOpenBroker(t *testing.T) {
	timing := quick
	timing.answer = 200 * time.Millisecond
	timing.connect = time.Second
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, pass)
	m, _ := startMQTT(t, p.address, Config{}, timing)
	m.Offer(answer(1))
	eventually(t, "all is well", func() bool { return m.Written() == 1 })
	p.set(stall)
	m.Offer(answer(2))
	eventually(t, "given up", func() bool { return !m.Connected() })
	require.ErrorContains(t, m.LastError(), "deadline exceeded")
	require.Zero(t, m.Due(), "the watchdog does not restart a board for its broker")
	m.Offer(answer(3))
	p.set(pass)
	eventually(t, "delivered", func() bool { return m.Written() == 3 })
	finish(t, m, b)
	got := seqs(t, b.on(lateTopic, stateTopic))
	require.Subset(t, got, []uint64{1, 2, 3})
}

// Half-open from the start: it takes connections and says nothing.
func TestMQTTMuteBroker(t *testing.T) {
	timing := quick
	timing.connect = 50 * time.Millisecond
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, stall)
	m, _ := startMQTT(t, p.address, Config{}, timing)
	eventually(t, "given up twice", func() bool { return m.Errors() >= 2 })
	require.ErrorContains(t, m.LastError(), "the broker does not answer")
	m.Offer(answer(1))
	require.Equal(t, 1, m.Len())
}

// Keep-alive finds a broker that fell silent while there is nothing to publish.
func TestMQTTKeepAlive(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, pass)
	timing := quick
	timing.keepAlive = time.Second // the least there is
	m, _ := startMQTT(t, p.address, Config{}, timing)
	m.Offer(answer(1))
	eventually(t, "all is well", func() bool { return m.Written() == 1 })
	p.set(stall)
	eventually(t, "noticed", func() bool { return !m.Connected() })
	require.ErrorContains(t, m.LastError(), "PINGRESP timed out")
}

func TestMQTTClose(t *testing.T) {
	t.Run("without a broker", func(t *testing.T) {
		p := startProxy(t, "127.0.0.1:1", reset)
		timing := quick
		timing.backoff = mqtt.Backoff{Least: time.Hour, Most: time.Hour}
		m, _ := startMQTT(t, p.address, Config{}, timing)
		eventually(t, "the first failure", func() bool { return m.LastError() != nil })
		m.Offer(answer(1))
		m.Offer(answer(2))
		begun := time.Now()
		require.ErrorContains(t, closeInTime(t, m), "2 waiting Results were dropped: ")
		require.Less(t, time.Since(begun), time.Minute, "it does not wait for the next attempt")
		require.EqualValues(t, 2, m.Dropped())
		require.Zero(t, m.Len())
	})
	t.Run("with one that hangs", func(t *testing.T) {
		b := startBroker(t, nil, nil)
		p := startProxy(t, b.address, stall)
		m, _ := startMQTT(t, p.address, Config{}, usualTiming)
		m.Offer(answer(1))
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		begun := time.Now()
		require.EqualError(t, m.Close(ctx), "1 waiting Results were dropped: context deadline exceeded")
		require.Less(t, time.Since(begun), time.Minute)
	})
	t.Run("with one that hangs later", func(t *testing.T) {
		b := startBroker(t, nil, nil)
		p := startProxy(t, b.address, pass)
		m, _ := startMQTT(t, p.address, Config{}, usualTiming)
		m.Offer(answer(1))
		eventually(t, "all is well", func() bool { return m.Written() == 1 })
		p.set(stall)
		m.Offer(answer(2))
		eventually(t, "under way", func() bool { return m.Len() == 0 })
		m.Offer(answer(3))
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		begun := time.Now()
		require.ErrorContains(t, m.Close(ctx), "waiting Results were dropped: context deadline exceeded")
		require.Less(t, time.Since(begun), time.Minute)
		require.EqualValues(t, 2, m.Dropped(), "the one under way as well")
	})
	t.Run("before the connection is up", func(t *testing.T) {
		b := startBroker(t, nil, nil)
		m, _ := startMQTT(t, b.address, Config{}, quick)
		m.Offer(answer(1)) // as with run --once
		finish(t, m, b)
		require.Equal(t, []uint64{1}, seqs(t, b.on(stateTopic)))
	})
}

// A replay waits for a broker that takes its time, but not for one that is away.
func TestMQTTOfferWait(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, pass)
	m, _ := startMQTT(t, p.address, Config{Queue: 2}, quick)
	for seq := uint64(1); seq <= 50; seq++ {
		require.NoError(t, m.OfferWait(t.Context(), answer(seq)))
	}
	eventually(t, "all", func() bool { return m.Written() == 50 })
	require.Zero(t, m.Thinned()+m.Dropped(), "no Result of a recording is lost")

	p.set(reset)
	eventually(t, "gone", func() bool { return !m.Connected() })
	for seq := uint64(51); seq <= 70; seq++ {
		require.NoError(t, m.OfferWait(t.Context(), answer(seq)))
	}
	require.Positive(t, m.Thinned())
}

func TestMQTTOfferWaitGivesUp(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, stall)
	m, _ := startMQTT(t, p.address, Config{Queue: 1}, usualTiming)
	require.NoError(t, m.OfferWait(t.Context(), answer(1)))
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	require.ErrorIs(t, m.OfferWait(ctx, answer(2)), context.DeadlineExceeded)
	require.EqualValues(t, 1, m.Dropped())
}

// What a broker does not want is counted and passed over; the rest goes on.
func TestMQTTRefusedMessages(t *testing.T) {
	for name, forbid := range map[string]func(topic string) bool{
		"Results and Home Assistant": func(topic string) bool {
			return topic == stateTopic || topic == lateTopic || strings.HasPrefix(topic, "homeassistant/")
		},
		"everything": func(string) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t, &guard{forbid: forbid}, nil)
			m, log := startMQTT(t, b.address, Config{HomeAssistant: true}, quick)
			m.Offer(answer(1))
			m.Offer(answer(2))
			eventually(t, "refused", func() bool { return m.Errors() == 2 })
			require.ErrorIs(t, m.LastError(), mqtt.ErrRefused)
			require.ErrorContains(t, m.LastError(), stateTopic)
			require.True(t, m.Connected(), "%s", log)
			require.Contains(t, log.String(), "not announced to Home Assistant")
			require.NoError(t, closeInTime(t, m))
			require.Zero(t, m.Written())
			require.EqualValues(t, 1, m.Connects())
			if name == "everything" {
				require.Contains(t, log.String(), "the broker was not told of the stop")
				return
			}
			finish(t, m, b)
			require.Equal(t, []string{"online", "stopped"}, b.payloads(statusTopic))
		})
	}
}

func TestMQTTWrongPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mqtt.password")
	write := func(password string) { require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o640)) }
	b := startBroker(t, &guard{password: "right-one"}, nil)
	write("wrong-one")
	m, log := startMQTT(t, b.address, Config{Username: "board", PasswordFile: file}, quick)
	eventually(t, "refused", func() bool { return m.LastError() != nil })
	require.ErrorContains(t, m.LastError(), "check username and password_file")
	require.NotContains(t, m.LastError().Error()+log.String(), "wrong-one")
	require.False(t, m.Connected())

	require.NoError(t, os.Chmod(file, 0o644))
	eventually(t, "refused by us", func() bool { return strings.Contains(m.LastError().Error(), "opens it to everybody") })
	require.NoError(t, os.Chmod(file, 0o640))
	write("right-one")
	eventually(t, "the new one works without a restart", m.Connected)
	finish(t, m, b)
	require.NotContains(t, log.String(), "right-one")
}

func TestMQTTBrokerWithFewAbilities(t *testing.T) {
	b := startBroker(t, nil, nil)
	b.Options.Capabilities.MaximumQos = 0
	b.Options.Capabilities.RetainAvailable = 0
	m, _ := startMQTT(t, b.address, Config{}, quick)
	eventually(t, "refused", func() bool { return m.LastError() != nil })
	require.ErrorIs(t, m.LastError(), mqtt.ErrRefused, "the last will needs both")
}

func TestMQTTLogsAFaultOnce(t *testing.T) {
	m, log := startMQTT(t, "127.0.0.1:1", Config{}, quick) // nobody is there
	eventually(t, "several attempts", func() bool { return m.Errors() >= 5 })
	require.ErrorContains(t, m.LastError(), "connection refused")
	require.Equal(t, 1, strings.Count(log.String(), "no connection to the broker"))
}

// Two boards from one image have one machine id, and take each other's place.
func TestMQTTTakenOver(t *testing.T) {
	b := startBroker(t, nil, nil)
	timing := quick
	timing.backoff = mqtt.Backoff{Least: time.Hour, Most: time.Hour}
	first, log := startMQTT(t, b.address, Config{}, timing)
	eventually(t, "online", func() bool { return b.retained(statusTopic) == "online" })
	second, _ := startMQTT(t, b.address, Config{}, timing)
	eventually(t, "taken over", func() bool { return first.LastError() != nil })
	require.ErrorContains(t, first.LastError(), "a board with the same machine id")
	eventually(t, "logged", func() bool { return strings.Contains(log.String(), "another client took our place") })
	require.NoError(t, closeInTime(t, first))
	finish(t, second, b)
}
