package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// over returns a client that reaches a daemon through its socket.
func over(socket string) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
}

func ask(t *testing.T, c *http.Client, method, path, body string) (code int, text string) {
	t.Helper()
	request, err := http.NewRequest(method, "http://ragedge"+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	reply, err := c.Do(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	all, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return reply.StatusCode, string(all)
}

// TestDaemonOverItsSocket runs a daemon with its real API on a real socket.
func TestDaemonOverItsSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "api.sock")
	c := quiet(airSensor())
	c.Agent.Trigger = TriggerPush
	c.API.Listen = []string{"unix:" + socket}
	environment := Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}, Version: "1.2.3", KernelSet: "avx2"}
	d, err := New(c, environment)
	require.NoError(t, err)
	stop := run(t, d)
	client := over(socket)
	require.Eventually(t, func() bool {
		reply, err := client.Get("http://ragedge/healthz")
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)

	stream, err := client.Get("http://ragedge/v1/stream")
	require.NoError(t, err)
	defer stream.Body.Close()

	code, text := ask(t, client, "POST", "/v1/regions?decide=1", `{"samples":[{"channel":"co2","value":3}]}`)
	require.Equal(t, http.StatusOK, code, text)
	var r result.Result
	require.NoError(t, json.Unmarshal([]byte(text), &r))
	require.Equal(t, "bright", r.Label)
	require.Equal(t, "avx2", r.KernelSet)
	require.Equal(t, reasonNothing, part(&r, "light").Reason)

	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	require.JSONEq(t, text, strings.TrimPrefix(lines.Text(), "data: "), "the stream has the same Result")

	code, latest := ask(t, client, "GET", "/v1/result", "")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, text, latest)

	code, text = ask(t, client, "POST", "/v1/regions", `{"regions":{"smell":[[1]]}}`)
	require.Equal(t, http.StatusNotFound, code, text)
	code, text = ask(t, client, "POST", "/v1/regions", `{"regions":{"air":[[1],[2],[3]]}}`)
	require.Equal(t, http.StatusBadRequest, code, text)

	code, text = ask(t, client, "GET", "/v1/status", "")
	require.Equal(t, http.StatusOK, code)
	var s api.Status
	require.NoError(t, json.Unmarshal([]byte(text), &s))
	require.Equal(t, "1.2.3", s.Version)
	require.EqualValues(t, 1, s.Decisions)
	require.Equal(t, api.StateUp, s.Sensors[0].State)
	code, text = ask(t, client, "GET", "/metrics", "")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, text, "ragedge_decisions_total 1\n")

	second, err := New(c, environment)
	require.NoError(t, err)
	require.ErrorIs(t, second.Run(context.Background()), ErrTryAgain, "the first daemon keeps its socket")
	code, _ = ask(t, client, "GET", "/readyz", "")
	require.Equal(t, http.StatusOK, code)

	require.NoError(t, stop())
	_, err = net.Dial("unix", socket)
	require.Error(t, err)
}
