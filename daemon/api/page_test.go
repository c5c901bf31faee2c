package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPage: the page and its parts, which browsers keep as long as they are right.
func TestPage(t *testing.T) {
	r := serve(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/page/index.html": "text/html; charset=utf-8", "/page/style.css": "text/css; charset=utf-8",
		"/page/page.js": "text/javascript; charset=utf-8", "/page/icon.svg": "image/svg+xml",
	} {
		a := r.get(path)
		require.Equal(t, 200, a.code, path)
		require.Equal(t, kind, a.header.Get("Content-Type"))
		require.Equal(t, pagePolicy, a.header.Get("Content-Security-Policy"))
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		require.NotEmpty(t, a.body)

		req, err := http.NewRequest(http.MethodGet, "http://"+r.tcp+path, nil)
		require.NoError(t, err)
		req.Header.Set("If-None-Match", a.header.Get("ETag"))
		again := do(t, r.web, req)
		require.Equal(t, 304, again.code)
		require.Empty(t, again.body)
		require.Equal(t, 200, r.ask(http.MethodHead, path).code)
		require.Equal(t, 405, r.ask(http.MethodPost, path).code)
	}
	for _, path := range []string{"/page", "/page/", "/page/x.js", "/page/../page.go", "/index.html", "/page//page.js", "/page/page.js/"} {
		require.Equal(t, 404, r.get(path).code, path)
	}
}

// TestPageIsSmallAndAlone: it is no burden, asks nobody else for anything, and has
// nothing that the policy forbids.
func TestPageIsSmallAndAlone(t *testing.T) {
	total := 0
	elsewhere := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.`)
	for path, content := range originals(t) {
		if path == "openapi.json" {
			continue
		}
		total += len(content)
		text := strings.ReplaceAll(string(content), "http://www.w3.org/2000/svg", "")
		require.Empty(t, elsewhere.FindString(text), path)
		for _, forbidden := range []string{"innerHTML", "eval(", " style=", "onclick=\"", "<script>"} {
			require.NotContains(t, text, forbidden, path)
		}
	}
	require.Less(t, total, 60<<10)
}

// TestRightsAreTold: the page on loopback knows whether its buttons can do anything.
func TestRightsAreTold(t *testing.T) {
	r := serve(t, nil)
	require.Equal(t, "no", r.get("/v1/status").header.Get(rightsHeader))
	require.Empty(t, r.ask(http.MethodGet, "/v1/status").header.Get(rightsHeader), "the socket's mode said it")
	require.Equal(t, "login", rights(false, true))
	require.Equal(t, "yes", rights(true, true))
}

func TestAttention(t *testing.T) {
	r := serve(t, nil)
	a := r.get("/v1/attention")
	require.Equal(t, 200, a.code)
	require.Equal(t, `{"seq":1,"modalities":["light"],"attention":[[1]],"region":[1]}`+"\n", a.body)
	r.daemon.set(func() { r.daemon.refusal = ErrNotReady })
	require.Equal(t, 503, r.get("/v1/attention").code)
}
