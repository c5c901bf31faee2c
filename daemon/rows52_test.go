package daemon

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// series are the names and labels of all metrics in a text.
func series(text string) (all []string) {
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// strangers writes pushes under names that no configuration has, from number from
// to number to: modalities, channels, and modalities in a safetensors file.
func strangers(w io.Writer, from, to int) error {
	out := bufio.NewWriter(w)
	for i := from; i < to; i++ {
		kind, body := "application/json", fmt.Sprintf(`{"id":"push-%d","regions":{"stranger-%d":[[1]]}}`, i, i)
		switch i % 10 {
		case 0:
			file := safetensors.File{Tensors: []safetensors.Tensor{
				safetensors.NewFloat32(fmt.Sprintf("stranger-%d", i), []float32{1}, 1, 1),
			}}
			text, err := file.Bytes()
			if err != nil {
				return err
			}
			kind, body = "application/octet-stream", string(text)
		case 1, 2, 3, 4:
			body = fmt.Sprintf(`{"samples":[{"channel":"stranger-%d","value":%d}]}`, i, i)
		}
		fmt.Fprintf(out, "POST /v1/regions HTTP/1.1\r\nHost: stranger-%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", i, kind, len(body), body)
	}
	return out.Flush()
}

// TestRow52UnknownIDs: however many names nobody has configured are pushed, each push
// is refused and counted, and nothing of them is kept: no entry, no metric, no memory.
func TestRow52UnknownIDs(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 3_000
	}
	socket := filepath.Join(t.TempDir(), "api.sock")
	c := quiet(airSensor())
	c.Agent.Trigger = TriggerPush
	c.API.Listen = []string{"unix:" + socket}
	d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}})
	require.NoError(t, err)
	stop := run(t, d)
	var conn net.Conn
	require.Eventually(t, func() bool {
		conn, err = net.Dial("unix", socket)
		return err == nil
	}, 10*time.Second, time.Millisecond)
	defer conn.Close()
	in := bufio.NewReader(conn)
	push := func(from, to int) {
		require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Minute)))
		sent := make(chan error, 1)
		go func() { sent <- strangers(conn, from, to) }()
		for i := from; i < to; i++ {
			reply, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(reply.Body)
			require.NoError(t, err)
			require.Equal(t, http.StatusNotFound, reply.StatusCode, "%s", body)
			require.Contains(t, string(body), fmt.Sprintf("stranger-%d", i))
		}
		require.NoError(t, <-sent)
	}
	client := over(socket)
	defer client.CloseIdleConnections()
	metrics := func() string {
		code, text := ask(t, client, "GET", "/metrics", "")
		require.Equal(t, http.StatusOK, code)
		return text
	}

	const before = 1000 // until buffers have their size
	push(0, before)
	metrics()
	names, inlets := series(metrics()), len(d.pipeline.inlets)
	goroutines, heap := memory()
	push(before, n)
	now, grown := memory()
	require.Less(t, grown, heap+256<<10)
	require.LessOrEqual(t, now, goroutines+1)
	require.Len(t, d.pipeline.inlets, inlets)
	text := metrics()
	require.Equal(t, names, series(text))
	require.NotContains(t, text, "stranger")
	require.Contains(t, text, fmt.Sprintf("ragedge_api_requests_total{code=\"404\"} %d\n", n))
	require.Contains(t, text, "ragedge_decisions_total 0\n")
	s := d.Status()
	require.Len(t, s.Sensors, 1)
	require.Zero(t, s.Sensors[0].Reads)

	code, body := ask(t, client, "POST", "/v1/regions", `{"samples":[{"channel":"co2","value":3}]}`)
	require.Equal(t, http.StatusOK, code, body)
	require.EqualValues(t, 1, d.Status().Decisions)
	require.NoError(t, stop())
}
