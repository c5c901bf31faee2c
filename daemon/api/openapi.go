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
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	sendPacked(w, r, file)
}
