package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTCPTakesNoData: what changes anything goes through the socket only, and a
// body that never comes holds up nobody.
func TestTCPTakesNoData(t *testing.T) {
	r := serve(t, nil)
	const push = `{"regions":{"text":[[1]]}}`
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodGet} {
		req, err := http.NewRequest(method, "http://"+r.tcp+"/v1/regions", strings.NewReader(push))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		a := do(t, r.web, req)
		require.Equal(t, 403, a.code, method)
		require.Contains(t, a.body, "data is taken on the Unix socket only")
	}
	body, write := io.Pipe()
	defer write.Close()
	req, err := http.NewRequest(http.MethodPost, "http://"+r.tcp+"/v1/regions", body)
	require.NoError(t, err)
	begun := time.Now()
	require.Equal(t, 403, do(t, r.web, req).code)
	require.Less(t, time.Since(begun), defaultLimits.read/2)

	require.Empty(t, r.daemon.taken())
	require.Equal(t, 200, r.push("", "application/json", []byte(push)).code)
	require.Len(t, r.daemon.taken(), 1)
}

func TestRow51HostAndOrigin(t *testing.T) {
	r := serve(t, nil)
	port := r.tcp[strings.LastIndex(r.tcp, ":"):]
	for _, tt := range []struct {
		host, origin string
		code         int
	}{
		{"127.0.0.1" + port, "", 200},
		{"localhost" + port, "", 200},
		{"LOCALHOST", "", 200},
		{"[::1]" + port, "", 200},
		{"[::1]", "", 200},
		{"127.0.0.1", "", 200},
		{"evil.example" + port, "", 403},
		{"localhost.evil.example" + port, "", 403},
		{"127.0.0.1.evil.example", "", 403},
		{"192.168.1.7" + port, "", 403},
		{"localhost.", "", 403},
		{"localhost" + port, "http://localhost" + port, 200},
		{"localhost" + port, "http://localhost:3000", 403},
		{"localhost" + port, "https://localhost" + port, 403},
		{"localhost" + port, "http://evil.example", 403},
		{"localhost" + port, "null", 403},
	} {
		req, err := http.NewRequest(http.MethodGet, "http://"+r.tcp+"/v1/status", nil)
		require.NoError(t, err)
		req.Host = tt.host
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		a := do(t, r.web, req)
		require.Equal(t, tt.code, a.code, "%+v: %s", tt, a.body)
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
	}
}

// TestSocketHasNoHost: clients of the socket may call it what they like.
func TestSocketHasNoHost(t *testing.T) {
	r := serve(t, nil)
	req, err := http.NewRequest(http.MethodGet, "http://anything.example/healthz", nil)
	require.NoError(t, err)
	require.Equal(t, 200, do(t, r.unix, req).code)
	c := r.raw("GET /healthz HTTP/1.0\r\n\r\n")
	require.Equal(t, 200, rawAnswer(t, c).code)
}
