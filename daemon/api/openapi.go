package api

import (
	_ "embed"
	"net/http"
)

// openapi describes every path; a test holds it against the server.
//
//go:embed openapi.json
var openapi []byte

func (s *Server) document(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, openapi) }
