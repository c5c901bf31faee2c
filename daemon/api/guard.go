package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// guard stands before route on TCP, where any local user, and any page in a
// local browser, can connect: it lets only reading through, and only requests
// that mean this machine.
func (s *Server) guard(w http.ResponseWriter, r *http.Request) {
	if err := sameOrigin(r); err != nil {
		fail(w, http.StatusForbidden, err.Error())
		return
	}
	if r.Method == http.MethodPost || r.ContentLength != 0 {
		// Nothing reads the body: do not wait for it either.
		w.Header().Set("Connection", "close")
		http.NewResponseController(w).SetReadDeadline(time.Now())
		fail(w, http.StatusForbidden, "data is taken on the Unix socket only, because TCP has no access control: "+
			"curl --unix-socket /run/ragedge/api.sock …")
		return
	}
	s.route(w, r)
}

// sameOrigin refuses requests under a name that is not this machine's, which is
// how a web page reaches a local server after it has changed its own name's
// address, and requests that a page from elsewhere makes.
func sameOrigin(r *http.Request) error {
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
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return fmt.Errorf("requests from pages of %.64q are refused", origin)
	}
	return nil
}
