package api

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
)

// stream opens /v1/stream through the socket and reads its first comment, after
// which every Result comes.
func (r *rig) stream() *bufio.Scanner {
	r.Helper()
	resp, err := (&http.Client{Transport: r.unix.Transport}).Get("http://ragedge/v1/stream")
	require.NoError(r, err)
	r.Cleanup(func() { resp.Body.Close() })
	require.Equal(r, 200, resp.StatusCode)
	require.Equal(r, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	require.Equal(r, ": every Result as it is decided", nextLine(r.T, lines))
	return lines
}

// nextLine returns the next line that is not empty.
func nextLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	for lines.Scan() {
		if lines.Text() != "" {
			return lines.Text()
		}
	}
	require.FailNow(t, "the stream ended", "%v", lines.Err())
	return ""
}

func TestStream(t *testing.T) {
	r := serve(t, nil)
	require.NoError(t, r.server.Write(some(1)), "before anyone listens")
	one, two := r.stream(), r.stream()
	for seq := uint64(2); seq < 50; seq++ {
		require.NoError(t, r.server.Write(some(seq)))
		for _, s := range []*bufio.Scanner{one, two} {
			require.Equal(t, fmt.Sprintf("id: %d", seq), nextLine(t, s))
			require.Equal(t, "data: "+string(some(seq).AppendJSON(nil)), nextLine(t, s))
		}
	}
	require.Equal(t, "2", r.metric("ragedge_api_stream_clients"))
	require.Equal(t, "0", r.metric("ragedge_api_stream_dropped_total"))
}

func TestStreamClientsAreCounted(t *testing.T) {
	r := serve(t, nil)
	for range defaultLimits.streams {
		r.stream()
	}
	a := r.ask(http.MethodGet, "/v1/stream")
	require.Equal(t, 503, a.code)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, "{\"error\":\"too many stream clients: at most 32 are served\"}\n", a.body)
	require.Equal(t, 200, r.get("/healthz").code)
}

// TestStreamClientLeaves: a place is free again when its client has gone.
func TestStreamClientLeaves(t *testing.T) {
	r := serve(t, func(l *limits) { l.streams = 1 })
	for range 5 {
		c := r.raw("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Eventually(t, func() bool { return r.server.hub.count() == 1 }, patience, time.Millisecond)
		c.Close()
		require.Eventually(t, func() bool { return r.server.hub.count() == 0 }, patience, time.Millisecond)
	}
}

func TestStreamKeepAlive(t *testing.T) {
	r := serve(t, func(l *limits) { l.keepAlive = time.Millisecond })
	s := r.stream()
	require.Equal(t, ":", nextLine(t, s))
	require.Equal(t, ":", nextLine(t, s))
}

// TestStreamEndsOnShutdown: clients get what was decided before, then the end.
func TestStreamEndsOnShutdown(t *testing.T) {
	r := serve(t, nil)
	s := r.stream()
	require.NoError(t, r.server.Write(some(1)))
	require.NoError(t, r.server.Shutdown(t.Context()))
	require.Equal(t, "id: 1", nextLine(t, s))
	for s.Scan() {
	}
	require.NoError(t, s.Err(), "the stream ends in good order")
	require.NoError(t, r.server.Write(some(2)), "a sink that outlives its clients")
}

// wide is a Result that soon fills the buffers of a socket.
func wide(seq uint64) *result.Result {
	r := some(seq)
	r.Values = make([]float32, 16<<10)
	return r
}

// TestSlowStreamClient: a client that pauses loses the oldest Results, is told
// how many, and nobody waits for it.
func TestSlowStreamClient(t *testing.T) {
	// Not cut, however long the fast client takes on a slow machine.
	r := serve(t, func(l *limits) { l.streamWrite = time.Hour })
	resp, err := r.unix.Get("http://ragedge/v1/stream")
	require.NoError(t, err)
	defer resp.Body.Close()
	fast := r.stream()
	const n = 200
	for seq := uint64(1); seq <= n; seq++ {
		require.NoError(t, r.server.Write(wide(seq)))
		require.Equal(t, fmt.Sprintf("id: %d", seq), nextLine(t, fast))
		require.True(t, strings.HasPrefix(nextLine(t, fast), "data: {"))
	}
	slow := bufio.NewScanner(resp.Body)
	slow.Buffer(nil, 1<<20)
	events, dropped, last := 0, 0, 0
	for last < n {
		switch line := nextLine(t, slow); {
		case strings.HasPrefix(line, "id: "):
			events++
			seq := last
			_, err := fmt.Sscanf(line, "id: %d", &last)
			require.NoError(t, err)
			require.Greater(t, last, seq)
		case strings.Contains(line, "dropped"):
			var lost int
			_, err := fmt.Sscanf(line, ": %d results dropped, the client is too slow", &lost)
			require.NoError(t, err)
			dropped += lost
		}
	}
	require.Equal(t, n, events+dropped)
	require.Positive(t, dropped)
	require.GreaterOrEqual(t, events, backlog)
	require.Equal(t, fmt.Sprint(dropped), r.metric("ragedge_api_stream_dropped_total"))
}

// TestDeadStreamClientIsCut: a client that reads nothing does not keep its place.
func TestDeadStreamClientIsCut(t *testing.T) {
	r := serve(t, func(l *limits) { l.streamWrite = 50 * time.Millisecond })
	r.raw("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Eventually(t, func() bool { return r.server.hub.count() == 1 }, patience, time.Millisecond)
	seq := uint64(0)
	require.Eventually(t, func() bool {
		seq++
		return r.server.Write(wide(seq)) == nil && r.server.hub.count() == 0
	}, patience, time.Millisecond)
	require.Eventually(t, func() bool { return r.server.conns.count() == 0 }, patience, time.Millisecond)
	require.Equal(t, "1", r.metric("ragedge_api_stream_cut_total"))
}

// TestHubDropsOldest pins which Results a client loses.
func TestHubDropsOldest(t *testing.T) {
	h := newHub(1)
	h.publish(some(1))
	c, err := h.join()
	require.NoError(t, err)
	event, lost := h.read(c, nil)
	require.Empty(t, event)
	require.Zero(t, lost)
	for seq := uint64(2); seq < 2+backlog+3; seq++ {
		h.publish(some(seq))
	}
	for i := range uint64(backlog) {
		event, lost = h.read(c, nil)
		require.Equal(t, string(appendEvent(nil, some(5+i))), string(event))
		require.Equal(t, i == 0, lost == 3)
	}
	event, lost = h.read(c, nil)
	require.Empty(t, event)
	require.Zero(t, lost)
}

// TestWriteAllocatesNothing: neither without clients, when nothing is encoded at
// all, nor with clients, once the ring has grown.
func TestWriteAllocatesNothing(t *testing.T) {
	h := newHub(1)
	r := some(1)
	h.publish(r)
	require.Zero(t, testing.AllocsPerRun(100, func() { h.publish(r) }))
	require.Zero(t, h.written)
	_, err := h.join()
	require.NoError(t, err)
	for range backlog {
		h.publish(r)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { h.publish(r) }))
}
