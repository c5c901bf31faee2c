package api

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keep puts a file where the fake daemon has its recordings.
func (r *rig) keep(name, content string) {
	r.Helper()
	r.daemon.set(func() {
		if r.daemon.directory == "" {
			r.daemon.directory = r.TempDir()
		}
	})
	require.NoError(r, os.WriteFile(filepath.Join(r.daemon.directory, name), []byte(content), 0o600))
}

func TestRecordings(t *testing.T) {
	r := serve(t, nil)
	r.daemon.set(func() {
		r.daemon.recordings = []Recording{
			{File: "b.mcap.open", Open: true, Bytes: 7},
			{File: "a.labels.mcap", Begin: time.Unix(60, 0).UTC(), End: time.Unix(120, 0).UTC(), Bytes: 9, Messages: 3, Labels: 1},
		}
	})
	a := r.get("/v1/recordings")
	require.Equal(t, 200, a.code)
	require.Equal(t, `{"recordings":[{"file":"b.mcap.open","open":true,"bytes":7},`+
		`{"file":"a.labels.mcap","begin":"1970-01-01T00:01:00Z","end":"1970-01-01T00:02:00Z","bytes":9,"messages":3,"labels":1}]}`+"\n", a.body)
}

// TestFetchRecording: whole or in part, to who may change something.
func TestFetchRecording(t *testing.T) {
	r := serve(t, nil)
	content := strings.Repeat("0123456789", 20000)
	r.keep("a.mcap", content)
	a := r.ask(http.MethodGet, "/v1/recordings/a.mcap")
	require.Equal(t, 200, a.code)
	require.Equal(t, content, a.body)
	require.Equal(t, "application/octet-stream", a.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="a.mcap"`, a.header.Get("Content-Disposition"))

	req, err := http.NewRequest(http.MethodGet, "http://ragedge/v1/recordings/a.mcap", nil)
	require.NoError(t, err)
	req.Header.Set("Range", "bytes=199995-")
	a = do(t, r.unix, req)
	require.Equal(t, 206, a.code)
	require.Equal(t, "56789", a.body)
	req.Header.Set("Range", "bytes=900000-")
	require.Equal(t, 416, do(t, r.unix, req).code)

	a = r.get("/v1/recordings/a.mcap")
	require.Equal(t, 403, a.code, "nothing on loopback says who may")
	require.NotContains(t, a.body, "0123456789")
	require.Equal(t, 403, r.get("/v1/recordings/none.mcap").code, "nor whether there is one")
	require.Equal(t, 404, r.ask(http.MethodGet, "/v1/recordings/none.mcap").code)
	require.Equal(t, 404, r.ask(http.MethodGet, "/v1/recordings/").code)
	require.Equal(t, 404, r.ask(http.MethodGet, "/v1/recordings/a.mcap/other").code)
	require.Equal(t, 405, r.ask(http.MethodDelete, "/v1/recordings/a.mcap").code)
}

// TestSlowFetchIsCut: a client that takes nothing in holds up the next one only for
// a while.
func TestSlowFetchIsCut(t *testing.T) {
	r := serve(t, func(l *limits) { l.streamWrite, l.recordings = 50*time.Millisecond, 1 })
	r.keep("a.mcap", strings.Repeat("x", 64<<20))
	r.raw("GET /v1/recordings/a.mcap HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Eventually(t, func() bool { return len(r.server.reading) == 1 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return len(r.server.reading) == 0 }, patience, time.Millisecond)
}

func TestViewRecording(t *testing.T) {
	r := serve(t, nil)
	r.daemon.set(func() { r.daemon.lines = 3 })
	a := r.get("/v1/recordings/a.mcap.open/results?from=2026-05-01T12:00:00Z&to=2026-05-01T13:00:00%2B01:00&every=10s")
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, "application/x-ndjson", a.header.Get("Content-Type"))
	require.Equal(t, "{\"seq\":1,\"mono_ns\":0}\n{\"seq\":2,\"mono_ns\":0}\n{\"seq\":3,\"mono_ns\":0}\n", a.body)
	v := r.daemon.viewed[0]
	require.Equal(t, maxViewLines, v.Lines)
	require.Equal(t, 10*time.Second, v.Every)
	require.True(t, v.From.Equal(v.To), "%v %v", v.From, v.To)

	for _, query := range []string{"from=noon", "every=10", "every=-1s", "every=1s&every=2s", "limit=1", "a=%"} {
		require.Equal(t, 400, r.get("/v1/recordings/a.mcap/results?"+query).code, query)
	}
	// Too much: the last line says so when the others are out.
	r.daemon.set(func() { r.daemon.lines = maxViewLines + 1 })
	a = r.get("/v1/recordings/a.mcap/results")
	require.Equal(t, 200, a.code)
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	require.Len(t, lines, maxViewLines+1)
	require.Equal(t, `{"error":"invalid request: too many lines"}`, lines[maxViewLines])
}

// TestAttentionThen: of one time, which is given once.
func TestAttentionThen(t *testing.T) {
	r := serve(t, nil)
	const path = "/v1/recordings/a.mcap/attention"
	a := r.get(path + "?at=2026-05-01T14:00:00.000%2B02:00")
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, `{"seq":7,"time":"2026-05-01T14:00:00+02:00","modalities":["light"],"attention":[[1]],"region":[1]}`+"\n", a.body)
	for _, query := range []string{"", "?at=", "?at=noon", "?at=2026-05-01T12:00:00Z&at=2026-05-01T12:00:00Z", "?at=2026-05-01T12:00:00Z&every=1s", "?a=%"} {
		require.Equal(t, 400, r.get(path+query).code, query)
	}
	a = r.get(path + "?at=2026-05-01T12:00:00.5Z")
	require.Equal(t, 404, a.code)
	require.Contains(t, a.body, "no Result of that time")
	for err, code := range map[error]int{ErrNotReady: 503, ErrMismatch: 409, context.DeadlineExceeded: 429} {
		r.daemon.set(func() { r.daemon.refusal = err })
		require.Equal(t, code, r.get(path+"?at=2026-05-01T12:00:00Z").code, err)
	}
	require.Equal(t, 405, r.post(path, "{}").code)
	for _, path := range []string{"/v1/recordings/a.mcap/", "/v1/recordings//attention", path + "/"} {
		require.Equal(t, 404, r.ask(http.MethodGet, path).code, path)
	}
	for range defaultLimits.recordings {
		r.server.reading <- struct{}{}
	}
	require.Equal(t, 429, r.get(path+"?at=2026-05-01T12:00:00Z").code)
}

// TestRecordingsAreReadByFew: what two read already, a third has to wait for.
func TestRecordingsAreReadByFew(t *testing.T) {
	r := serve(t, nil)
	for range defaultLimits.recordings {
		r.server.reading <- struct{}{}
	}
	a := r.get("/v1/recordings/a.mcap/results")
	require.Equal(t, 429, a.code)
	require.Equal(t, fmt.Sprintf("{\"error\":\"too much at once: %d recordings are read already\"}\n", defaultLimits.recordings), a.body)
}
