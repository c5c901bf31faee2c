package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// askAt gets /healthz over the socket at path.
func askAt(path string) error {
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}, Timeout: 5 * time.Second}
	r, err := c.Get("http://ragedge/healthz")
	if err == nil {
		r.Body.Close()
	}
	return err
}

func change(t *testing.T, s *Server, c Config) {
	change, err := s.Prepare(c)
	require.NoError(t, err)
	change.Commit()
}

// Places come and go while the server serves; what stays is never closed, and a
// place that cannot be opened changes nothing.
func TestPlacesComeAndGo(t *testing.T) {
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	listenAt := func(paths ...string) (out Config) {
		for _, p := range paths {
			out.Listen = append(out.Listen, unixScheme+p)
		}
		return out
	}
	r := serve(t, nil)
	change(t, r.server, listenAt(a))
	require.Eventually(t, func() bool { return askAt(r.socket) != nil }, patience, time.Millisecond)
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", r.tcp)
		if err == nil {
			c.Close()
		}
		return err != nil
	}, patience, time.Millisecond)
	stream, err := net.Dial("unix", a)
	require.NoError(t, err)
	defer stream.Close()
	_, err = io.WriteString(stream, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	head, err := bufio.NewReader(stream).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, head, "200")

	change(t, r.server, listenAt(a, b))
	require.NoError(t, askAt(a))
	require.NoError(t, askAt(b))

	require.NoError(t, os.WriteFile(c, nil, 0o600))
	_, err = r.server.Prepare(listenAt(b, filepath.Join(dir, "d"), c))
	require.ErrorContains(t, err, "is no socket")
	require.NoError(t, askAt(a))
	require.NoError(t, askAt(b))
	require.Error(t, askAt(filepath.Join(dir, "d")), "nothing of what was refused stays open")

	change(t, r.server, listenAt(b))
	require.Eventually(t, func() bool { return askAt(a) != nil }, patience, time.Millisecond)
	require.NoError(t, askAt(b))
	require.NoError(t, stream.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.Copy(io.Discard, stream)
	require.NoError(t, err, "a stream of a place that went ends")
	require.Len(t, r.server.Addresses(), 1)
	_, err = os.Lstat(a)
	require.ErrorIs(t, err, os.ErrNotExist)
}
