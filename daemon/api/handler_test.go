package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	r := serve(t, nil)
	for _, path := range []string{"/healthz", "/readyz"} {
		for _, a := range []answer{r.ask(http.MethodGet, path), r.get(path)} {
			require.Equal(t, 200, a.code)
			require.Equal(t, "{\"ok\":true}\n", a.body)
			require.Equal(t, "application/json", a.header.Get("Content-Type"))
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		}
	}
	r.daemon.set(func() { r.daemon.live = errTest })
	a := r.get("/healthz")
	require.Equal(t, 503, a.code)
	require.Equal(t, "{\"error\":\"the bus is stuck\"}\n", a.body)
	require.Equal(t, 200, r.get("/readyz").code)

	r.daemon.set(func() { r.daemon.live, r.daemon.ready = nil, errTest })
	require.Equal(t, 200, r.get("/healthz").code)
	a = r.get("/readyz")
	require.Equal(t, 503, a.code)
	require.Equal(t, "1", a.header.Get("Retry-After"))
}

func TestStatus(t *testing.T) {
	r := serve(t, nil)
	age := 0.5
	want := Status{
		Version: "v1", State: StateDegraded, Reason: "one sensor is down", UptimeS: 12.5,
		Model:     &ModelStatus{Name: "room", Digest: "sha256:00"},
		KernelSet: "neon", TimeQuality: "ntp", Decisions: 3, Answered: 2, LastResultAgeS: &age,
		Sensors: []SensorStatus{
			{Alias: "lamp", Type: "i2c", State: StateUp, Reads: 9, LastSuccessAgeS: &age},
			{Alias: "mic", Type: "push", State: StateDown, Reason: "no data", Errors: 4},
		},
		Sinks: []SinkStatus{{Type: "file", Written: 2, Dropped: 1, Errors: 1, LastError: "disk full"}},
		Late:  []string{"bus 1"}, RSSBytes: 12 << 20,
		Config: ConfigStatus{Reloads: 3, Failed: 1, LastError: "bad", AgeS: 2},
	}
	r.daemon.set(func() { r.daemon.status = want })
	a := r.get("/v1/status")
	require.Equal(t, 200, a.code)
	var got Status
	require.NoError(t, json.Unmarshal([]byte(a.body), &got))
	require.Equal(t, want, got)
	require.JSONEq(t, `{"version":"v1","state":"degraded","reason":"one sensor is down","uptime_s":12.5,
		"model":{"name":"room","digest":"sha256:00"},"kernel_set":"neon","time_quality":"ntp",
		"decisions":3,"answered":2,"missed":0,"last_result_age_s":0.5,
		"sensors":[{"alias":"lamp","type":"i2c","state":"up","reads":9,"errors":0,"last_success_age_s":0.5},
			{"alias":"mic","type":"push","state":"down","reason":"no data","reads":0,"errors":4}],
		"sinks":[{"type":"file","waiting":0,"written":2,"dropped":1,"errors":1,"last_error":"disk full"}],
		"late":["bus 1"],"rss_bytes":12582912,
		"config":{"reloads":3,"failed":1,"last_error":"bad","age_s":2}}`, a.body)
}

func TestReload(t *testing.T) {
	r := serve(t, nil)
	r.daemon.set(func() { r.daemon.status = Status{Version: "v2"} })
	a := r.ask(http.MethodPost, "/v1/reload")
	require.Equal(t, 200, a.code)
	require.Contains(t, a.body, `"version":"v2"`)
	r.daemon.set(func() { r.daemon.refusal = errTest })
	a = r.ask(http.MethodPost, "/v1/reload")
	require.Equal(t, 422, a.code)
	require.Equal(t, "{\"error\":\"the bus is stuck\"}\n", a.body)
	r.daemon.set(func() { r.daemon.refusal = ErrNotReady })
	require.Equal(t, 503, r.ask(http.MethodPost, "/v1/reload").code)

	req, err := http.NewRequest(http.MethodPost, "http://"+r.tcp+"/v1/reload", nil)
	require.NoError(t, err)
	require.Equal(t, 403, do(t, http.DefaultClient, req).code, "on the Unix socket only")
}

func TestLatestResult(t *testing.T) {
	r := serve(t, nil)
	a := r.get("/v1/result")
	require.Equal(t, 503, a.code)
	require.Contains(t, a.body, "there is no Result yet")

	given := some(7)
	require.NoError(t, r.server.Write(given))
	want := string(given.AppendJSON(nil))
	given.Label, given.Probabilities[0] = "changed later", 1
	a = r.get("/v1/result")
	require.Equal(t, 200, a.code)
	require.Equal(t, want+"\n", a.body)
}

// TestHead: HEAD gives the headers of GET and no body, and starts no stream.
func TestHead(t *testing.T) {
	r := serve(t, nil)
	require.NoError(t, r.server.Write(some(1)))
	for _, path := range []string{"/healthz", "/readyz", "/v1/status", "/v1/result", "/v1/stream", "/metrics"} {
		a := r.ask(http.MethodHead, path)
		require.Equal(t, 200, a.code, path)
		require.Empty(t, a.body, path)
		if path != "/v1/stream" && path != "/metrics" {
			require.Equal(t, r.ask(http.MethodGet, path).header.Get("Content-Length"), a.header.Get("Content-Length"), path)
		}
	}
	require.Equal(t, "text/event-stream", r.ask(http.MethodHead, "/v1/stream").header.Get("Content-Type"))
	require.Zero(t, r.server.hub.count())
}

func TestRow51PathsAndMethods(t *testing.T) {
	r := serve(t, nil)
	for _, path := range []string{"/healthz/", "//healthz", "/v1/../healthz", "/v1/regions/x", "/HEALTHZ", "/v2/models"} {
		a := r.ask(http.MethodGet, path)
		require.Equal(t, 404, a.code, path)
		require.Contains(t, a.body, `{"error":"no such path`, path)
	}
	for path, allowed := range map[string]string{"/healthz": "GET, HEAD", "/v1/stream": "GET, HEAD", "/v1/regions": "POST", "/v1/reload": "POST"} {
		for _, method := range []string{"DELETE", "OPTIONS", "PUT", "BREW"} {
			a := r.ask(method, path)
			require.Equal(t, 405, a.code, "%s %s", method, path)
			require.Equal(t, allowed, a.header.Get("Allow"))
			require.Contains(t, a.body, `{"error":"`)
		}
	}
	require.Equal(t, 405, r.ask(http.MethodPost, "/v1/status").code)
	require.Equal(t, 405, r.ask(http.MethodGet, "/v1/regions").code)
}

func TestMetrics(t *testing.T) {
	r := serve(t, nil)
	r.ask("BREW", "/healthz")
	r.ask(http.MethodGet, "/nowhere?label=evil")
	a := r.get("/metrics")
	require.Equal(t, 200, a.code)
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", a.header.Get("Content-Type"))
	require.Contains(t, a.body, "ragedge_test 1\n")
	require.Contains(t, a.body, "ragedge_api_requests_total{code=\"405\"} 1\n")
	require.Contains(t, a.body, "ragedge_api_requests_total{code=\"404\"} 1\n")
	require.Contains(t, a.body, "ragedge_api_stream_clients 0\n")
	require.NotContains(t, a.body, "BREW")
	require.NotContains(t, a.body, "evil")
}

func TestHeaderTooLarge(t *testing.T) {
	r := serve(t, nil)
	req, err := http.NewRequest(http.MethodGet, "http://ragedge/healthz", nil)
	require.NoError(t, err)
	// net/http allows 4 KiB more than it is told.
	req.Header.Set("X", strings.Repeat("a", defaultLimits.headerBytes+4096))
	require.Equal(t, 431, do(t, r.unix, req).code)
}
