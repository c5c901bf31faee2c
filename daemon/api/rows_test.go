package api

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Tests of the rows about clients. How fast the daemon answers meanwhile is measured
// by the benchmark.

// many is how many clients a row has, less in a short run.
func many(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

const halfHeader = "GET /healthz HTTP/1.1\r\nX: "

// TestRow49Slowloris: 2,000 clients that never finish a header keep nobody out, hold
// no more than the connections there may be, and are all dropped in the end.
func TestRow49Slowloris(t *testing.T) {
	r := serve(t, func(l *limits) { l.header = 2 * time.Second })
	var slow []net.Conn
	for i := range many(2000) {
		slow = append(slow, r.raw(halfHeader))
		if i%100 == 0 {
			require.Equal(t, 200, rawAnswer(t, r.raw("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).code)
		}
		require.LessOrEqual(t, r.server.conns.count(), defaultLimits.connections)
	}
	require.Equal(t, 200, rawAnswer(t, r.raw("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).code)
	for _, c := range slow {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, c)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "dropped")
		c.Close()
	}
	require.Eventually(t, func() bool { return r.server.conns.count() == 0 }, patience, time.Millisecond)
}

// TestRow50ManyStreams: of 1,000 clients as many are served as there is room for, and
// the others are told so.
func TestRow50ManyStreams(t *testing.T) {
	r := serve(t, nil)
	served, refused := 0, 0
	for range many(1000) {
		c := r.raw("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		switch {
		case strings.Contains(line, "200"):
			served++
		case strings.Contains(line, "503"):
			refused++
			c.Close()
		}
	}
	require.Equal(t, defaultLimits.streams, served)
	require.Equal(t, many(1000)-served, refused)
	require.Equal(t, defaultLimits.streams, r.server.hub.count())
	require.Equal(t, 200, r.get("/healthz").code)
}

// TestRow50DeafStreams: were there room for 1,000, the 100 of them that do not read
// would be cut, the others go on, and all together would hold what one event for each
// takes, and the ring.
func TestRow50DeafStreams(t *testing.T) {
	clients := many(1000)
	deaf := clients / 10
	r := serve(t, func(l *limits) {
		l.streams, l.connections, l.streamWrite = clients, 2*clients, 3*time.Second
	})
	join := func() net.Conn { return r.raw("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n") }
	for range deaf {
		join()
	}
	ended := make(chan int64, clients)
	for range clients - deaf {
		c := join()
		go func() {
			n, _ := io.Copy(io.Discard, c)
			ended <- n
		}()
	}
	require.Eventually(t, func() bool { return r.server.hub.count() == clients }, patience, time.Millisecond)
	before := heap()
	event := len(appendEvent(nil, wide(1)))
	sent := 0
	require.Eventually(t, func() bool {
		sent++
		return r.server.Write(wide(uint64(sent))) == nil && r.server.hub.count() == clients-deaf
	}, 3*patience, 100*time.Millisecond, "the deaf are cut, and nobody else")
	// A connection has buffers of its own besides the event that it is sending.
	most := uint64(backlog*2*event + clients*(2*event+32<<10))
	require.Less(t, heap()-min(before, heap()), most)
	require.NoError(t, r.server.Shutdown(t.Context()))
	for range clients - deaf {
		require.Greater(t, <-ended, int64(event), "at least one Result")
	}
	require.Equal(t, uint64(deaf), r.server.metrics.cut.Get())
}

// TestRow60PanicOfAHandler: a handler that panics costs its own request only, as
// often as it does, and each time is counted.
func TestRow60PanicOfAHandler(t *testing.T) {
	r := serve(t, nil)
	events := r.stream()
	r.daemon.set(func() { r.daemon.panics = true })
	const times = 100
	for range times {
		a := r.get("/healthz")
		require.Equal(t, 500, a.code)
		require.Equal(t, "{\"error\":\"the daemon failed on this request; its log says how\"}\n", a.body)
		require.Equal(t, 200, r.get("/readyz").code)
	}
	require.Equal(t, "100", r.metric("ragedge_api_panics_total"))
	require.Equal(t, "100", r.metric(`ragedge_api_requests_total{code="500"}`))
	require.NoError(t, r.server.Write(some(1)))
	require.Equal(t, "id: 1", nextLine(t, events), "who was there before is served on")
	r.daemon.set(func() { r.daemon.panics = false })
	require.Equal(t, 200, r.get("/healthz").code)
}

// heap is what is in use of it.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRow49 measures what an honest client waits while 2,000 others send half a
// header each, and again when they are dropped: p99-ms.
func BenchmarkRow49(b *testing.B) {
	socket := filepath.Join(b.TempDir(), "api.sock")
	server, err := start(Config{Listen: []string{"unix:" + socket}}, &fake{}, slog.New(slog.DiscardHandler), defaultLimits)
	require.NoError(b, err)
	defer server.Close()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		slow := make([]net.Conn, 2000)
		for i := 0; ; i = (i + 1) % len(slow) {
			select {
			case <-stop:
				for _, c := range slow {
					if c != nil {
						c.Close()
					}
				}
				return
			default:
			}
			if slow[i] != nil {
				slow[i].Close()
			}
			if slow[i], err = net.Dial("unix", socket); err == nil {
				_, _ = io.WriteString(slow[i], halfHeader)
			}
			time.Sleep(100 * time.Microsecond)
		}
	}()
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		c, err := net.Dial("unix", socket)
		require.NoError(b, err)
		_, err = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		require.NoError(b, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(b, err)
		require.Equal(b, 200, resp.StatusCode)
		resp.Body.Close()
		c.Close()
		took = append(took, time.Since(begun))
	}
	close(stop)
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
