package sink

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
)

func TestCheckSpill(t *testing.T) {
	good := Config{Type: KindMQTT, URL: "mqtt://b", Spill: "/var/lib/ragedge/spill"}
	require.NoError(t, good.Check())
	require.NoError(t, good.WithDefaults().Check())
	require.EqualValues(t, 16<<20, good.WithDefaults().SpillMaxBytes)
	for want, edit := range map[string]func(*Config){
		"spill_max_bytes: 1 is less than 1048576":                    func(c *Config) { c.SpillMaxBytes = 1 },
		"spill_write_budget_bytes: -1 is less than 1048576":          func(c *Config) { c.SpillWriteBudgetBytes = -1 },
		"spill_max_bytes: without spill nothing is kept on disk":     func(c *Config) { c.Spill, c.SpillMaxBytes = "", 1<<20 },
		"spill: a key of type mqtt, which type stdout does not have": func(c *Config) { c.Type = Stdout },
	} {
		c := good
		edit(&c)
		require.ErrorContains(t, c.Check(), want)
	}
}

// entries are the names in a directory.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

// What waits outlives the sink, comes late and in order, and is gone from the disk
// then. The newest Result goes ahead, and nothing older comes on its topic after it.
func TestMQTTSpill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	m, _ := startMQTT(t, "127.0.0.1:1", Config{Spill: dir, Queue: 8}, quick) // nobody is there
	for seq := uint64(1); seq <= 40; seq++ {
		m.Offer(labelled(seq, fmt.Sprint(seq)))
		eventually(t, "on disk, all but the newest", func() bool { return m.Spilled() >= int64(seq)-1 })
	}
	require.Equal(t, 1, m.Len())
	require.Positive(t, m.SpillBytes())
	require.NoError(t, closeInTime(t, m), "nothing is lost")
	require.Zero(t, m.Dropped()+m.Thinned())
	require.NotEmpty(t, entries(t, dir))

	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, _ = startMQTT(t, p.address, Config{Spill: dir, Queue: 64}, quick)
	eventually(t, "no broker", func() bool { return m.Errors() > 0 })
	for seq := uint64(41); seq <= 50; seq++ {
		m.Offer(labelled(seq, fmt.Sprint(seq)))
	}
	p.set(pass)
	eventually(t, "delivered", func() bool {
		return strings.Contains(b.retained(stateTopic), `"seq":50,`) && m.Len() == 0 && m.Written() == 50
	})
	finish(t, m, b)
	late := seqs(t, b.on(lateTopic))
	require.Equal(t, upTo(49), late)
	for _, d := range b.on(lateTopic) {
		_, err := strconv.Atoi(d.late)
		require.NoError(t, err)
	}
	require.True(t, slices.IsSorted(seqs(t, b.on(stateTopic))))
	require.Empty(t, entries(t, dir))
}

func upTo(last uint64) (all []uint64) {
	for seq := uint64(1); seq <= last; seq++ {
		all = append(all, seq)
	}
	return all
}

// The newest stays in memory, also when a lost connection left it unacknowledged.
func TestMQTTSpillsAllButTheNewest(t *testing.T) {
	p := publisher{MQTT: &MQTT{backlog: newBacklog(4)}, holding: true}
	answer(1).CopyTo(&p.held.result)
	numbers := func(keep int) (n int, last uint64) {
		batch, last := p.oldest(keep)
		return len(batch), last
	}
	for _, c := range []struct {
		waiting, keep, n int
		last             uint64
	}{{0, 1, 0, 0}, {0, 0, 1, 1}, {1, 1, 1, 1}, {1, 0, 2, 2}, {2, 1, 2, 2}} {
		for p.backlog.n < c.waiting {
			p.backlog.put(labelled(uint64(p.backlog.n)+2, fmt.Sprint(p.backlog.n)), true)
		}
		n, last := numbers(c.keep)
		require.Equal(t, c.n, n, "%+v", c)
		require.Equal(t, c.last, last, "%+v", c)
	}
}

// A disk that takes nothing leaves the sink as it is without one.
func TestMQTTSpillToABadDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, log := startMQTT(t, p.address, Config{Spill: dir}, quick)
	for seq := uint64(1); seq <= 20; seq++ {
		m.Offer(labelled(seq, fmt.Sprint(seq)))
	}
	eventually(t, "said so", func() bool { return strings.Contains(log.String(), "results stay in memory") })
	require.Zero(t, m.Spilled())
	p.set(pass)
	eventually(t, "delivered", func() bool { return m.Written() == 20 })
	finish(t, m, b)
	require.Equal(t, upTo(20), seqs(t, b.on(lateTopic, stateTopic)))
	require.Equal(t, 1, strings.Count(log.String(), "not a directory"), "once: %s", log)
}

// Where the spool is full, what does not fit is thinned in memory, and the spool
// still comes first.
func TestMQTTSpillFull(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, log := startMQTT(t, p.address, Config{Spill: dir, SpillMaxBytes: minSpill, Queue: 8}, quick)
	long := strings.Repeat("x", 60<<10)
	offered := uint64(0)
	for !strings.Contains(log.String(), "the spool is full") {
		offered++
		m.Offer(labelled(offered, fmt.Sprint(offered, long)))
		eventually(t, "stored or full", func() bool {
			return m.Spilled() >= int64(offered)-1 || strings.Contains(log.String(), "the spool is full")
		})
	}
	for range 20 {
		offered++
		m.Offer(labelled(offered, fmt.Sprint(offered, long)))
	}
	require.Equal(t, 8, m.Len())
	stored := m.Spilled()
	p.set(pass)
	eventually(t, "delivered", func() bool { return m.Len() == 0 && m.Written() == stored+8 })
	finish(t, m, b)
	late := seqs(t, b.on(lateTopic))
	require.Equal(t, upTo(uint64(stored)), late[:stored])
	require.True(t, slices.IsSorted(late))
	require.EqualValues(t, offered, m.Written()+m.Dropped()+m.Thinned())
}

const spillChild = "RAGEDGE_TEST_SPILL"

// TestMain lets this program be a sink that can be killed: see TestMQTTSpillKilled.
func TestMain(m *testing.M) {
	if dir := os.Getenv(spillChild); dir != "" {
		c := Config{Type: KindMQTT, URL: "mqtt://127.0.0.1:1", Spill: dir}.WithDefaults()
		first, _ := strconv.ParseUint(os.Getenv(spillChild+"_FROM"), 10, 64)
		sink, err := newMQTT(c, thisTest, nil, slog.New(slog.DiscardHandler), quick, nil)
		if err != nil {
			panic(err)
		}
		for seq := first; ; seq++ {
			_ = sink.OfferWait(context.Background(), labelled(seq, fmt.Sprint(seq)))
			for before := sink.Spilled(); sink.Spilled() == before && sink.Len() > 1; {
				time.Sleep(time.Millisecond)
			}
			fmt.Println(first + uint64(sink.Spilled()) - 1) // up to here all are on disk
		}
	}
	os.Exit(m.Run())
}

// A daemon that is killed again and again between its writes: all that the disk had
// taken reaches a real broker, in order.
func TestMQTTSpillKilled(t *testing.T) {
	const password = "a good one"
	broker := newMosquitto(t, password)
	dir := t.TempDir()
	kills := 5
	if testing.Short() {
		kills = 2
	}
	next := uint64(1)
	for range kills {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), spillChild+"="+dir, spillChild+"_FROM="+strconv.FormatUint(next, 10))
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		if err := c.Start(); errors.Is(err, syscall.ENOEXEC) {
			t.Skip("this program runs in an emulator and cannot start itself")
		} else {
			require.NoError(t, err)
		}
		var acknowledged uint64
		in := bufio.NewScanner(out)
		for in.Scan() {
			acknowledged, err = strconv.ParseUint(in.Text(), 10, 64)
			require.NoError(t, err)
			if acknowledged >= next+20 {
				break
			}
		}
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		require.GreaterOrEqual(t, acknowledged, next+20)
		next = acknowledged + 1
	}

	broker.start(t)
	w := broker.watch(t, password)
	file := filepath.Join(t.TempDir(), "mqtt.password")
	require.NoError(t, os.WriteFile(file, []byte(password), 0o600))
	m, _ := startMQTT(t, broker.address, Config{Username: "board", PasswordFile: file, Spill: dir}, quick)
	eventually(t, "the disk is empty", func() bool { return len(entries(t, dir)) == 0 && m.Written() > 0 })
	require.NoError(t, closeInTime(t, m))
	eventually(t, "all came", func() bool { return int64(len(w.on(lateTopic))) >= m.Written() })
	require.NoError(t, w.client.Disconnect(&paho.Disconnect{}))
	var got []uint64
	for _, d := range w.on(lateTopic) {
		var r result.Result
		require.NoError(t, r.UnmarshalJSON([]byte(d.payload)))
		got = append(got, r.Seq)
		require.NotEmpty(t, d.late)
	}
	// A later run begins at the number after the last that was acknowledged; its
	// predecessor may have stored a few more.
	want := uint64(1)
	for _, seq := range got {
		if seq == want {
			want++
		}
	}
	require.Equal(t, next, want, "%v", got)
}
