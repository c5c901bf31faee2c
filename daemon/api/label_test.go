package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// post sends a body through the Unix socket.
func (r *rig) post(path, body string) answer {
	r.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://ragedge"+path, strings.NewReader(body))
	require.NoError(r, err)
	return do(r.T, r.unix, req)
}

func TestLabel(t *testing.T) {
	r := serve(t, nil)
	a := r.post("/v1/label", `{"label":"2 people","from":"2026-05-01T14:30:00Z"}`)
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, `{"label":"2 people","from":"2026-05-01T14:30:00Z","source":"api"}`+"\n", a.body)
	require.Equal(t, []Label{{Label: "2 people", From: time.Date(2026, 5, 1, 14, 30, 0, 0, time.UTC), Source: "api"}}, r.daemon.labels)
	require.Equal(t, 200, r.post("/v1/label", `{"end":true}`).code)
	require.Equal(t, Label{End: true, Source: "api"}, r.daemon.labels[1])
	for _, body := range []string{
		``, `[]`, `{}`, `{"label":""}`, `{"label":"x","end":true}`, `{"end":true,"to":"2026-05-01T14:30:00Z"}`, `{"label":" x"}`, `{"label":"x","colour":1}`, `{"label":"x"}{}`,
		`{"label":"x","from":"noon"}`, `{"label":"` + strings.Repeat("x", 200) + `"}`,
	} {
		require.Equal(t, 400, r.post("/v1/label", body).code, body)
	}
	require.Equal(t, 413, r.post("/v1/label", strings.Repeat(" ", 5000)).code)
	require.Len(t, r.daemon.labels, 2)
	r.daemon.set(func() { r.daemon.refusal = ErrNotReady })
	require.Equal(t, 503, r.post("/v1/label", `{"label":"x"}`).code)
	require.Equal(t, 405, r.get("/v1/label").code)
}

func TestRecord(t *testing.T) {
	r := serve(t, nil)
	require.Equal(t, 200, r.post("/v1/record", `{"on":true}`).code)
	require.True(t, r.daemon.recording)
	require.Equal(t, 200, r.post("/v1/record", `{"on":false}`).code)
	require.False(t, r.daemon.recording)
	require.Equal(t, `{"action":"flight"}`+"\n", r.post("/v1/record", `{"action":"flight"}`).body)
	require.Equal(t, 1, r.daemon.flights)
	for _, body := range []string{`{}`, `{"action":"land"}`, `{"on":true,"action":"flight"}`} {
		require.Equal(t, 400, r.post("/v1/record", body).code, body)
	}
	for _, path := range []string{"/v1/record", "/v1/label"} {
		req, err := http.NewRequest(http.MethodPost, "http://"+r.tcp+path, strings.NewReader("{}"))
		require.NoError(t, err)
		require.Equal(t, 403, do(t, http.DefaultClient, req).code, "on the Unix socket only")
	}
}
