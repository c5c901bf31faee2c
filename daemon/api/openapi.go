package api

import "net/http"

// document is GET /openapi.json, which describes every path; a test holds it against
// the server.
func (s *Server) document(w http.ResponseWriter, r *http.Request) {
	file, err := packed.ReadFile("packed/openapi.json.gz")
	if err != nil {
		noSuchPath(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	sendPacked(w, r, file)
}
