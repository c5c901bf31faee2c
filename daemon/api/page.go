package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
)

const (
	// pagePath is where the parts of the page of GET / are. It asks the same server for
	// data and nobody for anything else, which its policy makes sure of.
	pagePath   = "/page/"
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// pageTypes has the content type of a file by the ending of its name.
var pageTypes = map[string]string{
	"html": "text/html; charset=utf-8",
	"css":  "text/css; charset=utf-8",
	"js":   "text/javascript; charset=utf-8",
	"svg":  "image/svg+xml",
}

// pageTag names the version of all parts: they go together. It is a weak one, since
// it is the same for a file packed and unpacked.
var pageTag = sync.OnceValue(func() string {
	sum := sha256.New()
	entries, _ := packed.ReadDir("packed")
	for _, e := range entries {
		file, _ := packed.ReadFile("packed/" + e.Name())
		sum.Write(file)
	}
	return `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
})

// page serves GET / and the parts of the page. Browsers keep them, and ask each time
// whether they are still right.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	name := "index.html"
	if r.URL.Path != "/" {
		name = strings.TrimPrefix(r.URL.Path, pagePath)
	}
	_, ending, _ := strings.Cut(name, ".")
	file, err := packed.ReadFile("packed/" + name + ".gz")
	if err != nil || pageTypes[ending] == "" {
		noSuchPath(w)
		return
	}
	h := w.Header()
	h.Set("ETag", pageTag())
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if r.Header.Get("If-None-Match") == pageTag() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", pageTypes[ending])
	sendPacked(w, r, file)
}
