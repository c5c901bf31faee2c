package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// admit stands before route on a Unix socket: the kernel says which user is at
// the other end.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) {
	users := s.access.Load().users
	if users == nil {
		s.route(w, r)
		return
	}
	uid, err := peer(r.Context())
	if err == nil && !slices.Contains(users, uid) {
		err = fmt.Errorf("user %d is none of api.users", uid)
	}
	if err != nil {
		s.turnAway(w, http.StatusForbidden, err)
		return
	}
	s.route(w, r)
}

// guard stands before route on loopback, where any local user, and any page in a
// local browser, can connect: without proof it lets only reading through, and
// only requests that mean this machine.
func (s *Server) guard(w http.ResponseWriter, r *http.Request) {
	if err := sameMachine(r); err != nil {
		s.turnAway(w, http.StatusForbidden, err)
		return
	}
	access := s.access.Load()
	known, open := access.knows(r), len(access.tokens) > 0 || access.tls != nil
	w.Header().Set(rightsHeader, rights(known, open))
	if !changes(r) || known {
		s.route(w, r)
		return
	}
	if !open {
		s.turnAway(w, http.StatusForbidden, errors.New("data is taken on the Unix socket only, because nothing here says who may: "+
			"curl --unix-socket /run/ragedge/api.sock …, or set api.token_file"))
		return
	}
	s.challenge(w, r)
}

// guardRemote stands before route where other machines can connect: whoever has
// no proof gets nothing.
func (s *Server) guardRemote(w http.ResponseWriter, r *http.Request) {
	if err := ownPage(r, "https://"); err != nil {
		s.turnAway(w, http.StatusForbidden, err)
		return
	}
	if !s.access.Load().knows(r) {
		s.challenge(w, r)
		return
	}
	s.route(w, r)
}

// rightsHeader tells the page on loopback whether its buttons can do anything: yes,
// no, or login, after which they can. Elsewhere it is left out and means yes.
const rightsHeader = "Ragedge-Changes"

func rights(known, open bool) string {
	switch {
	case known:
		return "yes"
	case open:
		return "login"
	}
	return "no"
}

// changes says whether the request is for more than reading, or for whole recordings.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 || fetches(r)
}

// challenge asks for a token. A client that shows wrong ones is told to wait
// after some; right ones pass at any time.
func (s *Server) challenge(w http.ResponseWriter, r *http.Request) {
	if token(r) != "" {
		s.metrics.unauthorized.Inc()
		if !s.failures.spend(time.Now()) {
			w.Header().Set("Retry-After", "1")
			s.turnAway(w, http.StatusTooManyRequests, errors.New("too many wrong tokens"))
			return
		}
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="ragedge", charset="UTF-8"`)
	s.turnAway(w, http.StatusUnauthorized, errors.New("a token is needed: Authorization: Bearer …, or as a browser's password"))
}

// turnAway answers without reading the body, and ends the connection.
func (s *Server) turnAway(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Connection", "close")
	http.NewResponseController(w).SetReadDeadline(time.Now())
	fail(w, code, err.Error())
}

// sameMachine refuses requests under a name that is not this machine's, which is
// how a web page reaches a local server after it has changed its own name's
// address, and requests that a page from elsewhere makes.
func sameMachine(r *http.Request) error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !strings.EqualFold(host, "localhost") {
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil || !ip.IsLoopback() {
			return fmt.Errorf("host %.64q is not this machine: use localhost or 127.0.0.1", r.Host)
		}
	}
	if r.TLS != nil {
		return ownPage(r, "https://")
	}
	return ownPage(r, "http://")
}

// ownPage refuses requests that a page from elsewhere makes.
func ownPage(r *http.Request, scheme string) error {
	if origin := r.Header.Get("Origin"); origin != "" && origin != scheme+r.Host {
		return fmt.Errorf("requests from pages of %.64q are refused", origin)
	}
	return nil
}
