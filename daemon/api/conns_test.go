package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSlowHeaders: clients that never finish their header cannot keep an honest
// one out, however many they are, and are dropped when their time is up.
func TestSlowHeaders(t *testing.T) {
	const room = 8
	r := serve(t, func(l *limits) { l.connections, l.header = room, time.Second })
	var slow []net.Conn
	for range 10 * room {
		slow = append(slow, r.raw("GET /healthz HTTP/1.1\r\nX: "))
	}
	for range 20 {
		c := r.raw("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		require.Equal(t, 200, rawAnswer(t, c).code)
		require.LessOrEqual(t, r.server.conns.count(), room)
	}
	for _, c := range slow {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, c)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		c.Close()
	}
	require.NotEqual(t, "0", r.metric("ragedge_api_connections_evicted_total"))
	require.Equal(t, "0", r.metric("ragedge_api_connections_refused_total"))
}

// TestSlowHeaderTimesOut: one slow client is dropped although there is room.
func TestSlowHeaderTimesOut(t *testing.T) {
	r := serve(t, func(l *limits) { l.header = 50 * time.Millisecond })
	c := r.raw("GET /healthz HTTP/1.1\r\nX: ")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, c)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.server.conns.count() == 0 }, patience, time.Millisecond)
}

// TestSlowBody: a push that does not arrive in time is refused.
func TestSlowBody(t *testing.T) {
	r := serve(t, func(l *limits) { l.read = 50 * time.Millisecond })
	c := r.raw("POST /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
	require.Equal(t, 408, rawAnswer(t, c).code)
	require.Empty(t, r.daemon.taken())
}

// TestAllBusy: when every connection is being served, another one is told so,
// and nobody is evicted.
func TestAllBusy(t *testing.T) {
	r := serve(t, func(l *limits) { l.connections = 2 })
	var streams []*bufio.Scanner
	for range 2 {
		streams = append(streams, r.stream())
	}
	c := r.raw("")
	a := rawAnswer(t, c)
	require.Equal(t, 503, a.code)
	require.Equal(t, "{\"error\":\"too many connections\"}\n", a.body)

	require.NoError(t, r.server.Write(some(1)))
	for _, s := range streams {
		require.Equal(t, "id: 1", nextLine(t, s))
	}
	require.Equal(t, uint64(1), r.server.metrics.refused.Get())
	require.Zero(t, r.server.metrics.evicted.Get())
}

// TestIdleConnectionsGiveWay: connections kept for a next request are not in
// the way of new ones.
func TestIdleConnectionsGiveWay(t *testing.T) {
	r := serve(t, func(l *limits) { l.connections = 3 })
	for range 10 {
		c := r.raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Equal(t, 200, rawAnswer(t, c).code)
	}
	require.LessOrEqual(t, r.server.conns.count(), 3)
	require.Zero(t, r.server.metrics.refused.Get())
}

// TestShutdownAnswers: what is at work is answered, what is quiet is closed, and
// nobody new comes in.
func TestShutdownAnswers(t *testing.T) {
	r := serve(t, nil)
	hold := make(chan struct{})
	r.daemon.set(func() { r.daemon.hold = hold })
	quiet := r.raw("GET /healthz HTTP/1.1\r\nX: ")
	answered := make(chan answer, 1)
	go func() { answered <- r.push("", "application/json", []byte(`{"regions":{"text":[[1]]}}`)) }()
	require.Eventually(t, func() bool { return len(r.daemon.taken()) == 1 }, patience, time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- r.server.Shutdown(ctx) }()
	require.NoError(t, quiet.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, quiet)
	if !errors.Is(err, syscall.ECONNRESET) { // closed before it was read from
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { _, err := os.Stat(r.socket); return err != nil }, patience, time.Millisecond)
	require.Empty(t, down)

	close(hold)
	require.Equal(t, 200, (<-answered).code)
	require.NoError(t, <-down)
	require.NoError(t, r.server.Shutdown(ctx))
	_, err = net.Dial("tcp", r.tcp)
	require.Error(t, err)
}

// TestShutdownGivesUp: a request that does not end is cut when the time is up.
func TestShutdownGivesUp(t *testing.T) {
	r := serve(t, nil)
	hold := make(chan struct{})
	defer close(hold)
	r.daemon.set(func() { r.daemon.hold = hold })
	c := r.raw("POST /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n" +
		`{"regions":{"text":[[1]]}}`)
	require.Eventually(t, func() bool { return len(r.daemon.taken()) == 1 }, patience, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.server.Shutdown(ctx), context.Canceled)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
