package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrInUse means that another process serves where this one should.
var ErrInUse = errors.New("in use by another process")

// place is one address as package net takes it. It is remote when other machines
// can reach it.
type place struct {
	network, address string
	remote           bool
}

const (
	unixScheme = "unix:"
	// maxSocketPath is the size of sun_path less the final zero byte.
	maxSocketPath = 107
	// socketMode lets the daemon's group in and nobody else.
	socketMode = 0o660
	// answerTime is how long a socket's owner may take to accept.
	answerTime = time.Second
)

// places returns where an entry of Config.Listen means. A name or a bare port
// means both loopback addresses; the second is best effort, for machines without
// IPv6.
func places(entry string) ([]place, error) {
	if path, ok := strings.CutPrefix(entry, unixScheme); ok {
		if path == "" || path[0] == '@' || len(path) > maxSocketPath {
			return nil, fmt.Errorf("needs a file path of 1 to %d bytes after %s", maxSocketPath, unixScheme)
		}
		return []place{{network: "unix", address: path}}, nil
	}
	host, port, err := net.SplitHostPort(entry)
	if err != nil {
		return nil, fmt.Errorf("is neither %s and a path nor an address with a port", unixScheme)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("needs a port between 0 and 65535")
	}
	if host == "" || host == "localhost" {
		return []place{
			{network: "tcp4", address: net.JoinHostPort("127.0.0.1", port)},
			{network: "tcp6", address: net.JoinHostPort("::1", port)},
		}, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, errors.New("names a machine: use an address, 0.0.0.0 for all that this one has")
	}
	return []place{{"tcp", entry, !ip.IsLoopback()}}, nil
}

// listen opens what an entry names.
func listen(entry string) (_ []net.Listener, remote bool, _ error) {
	all, err := places(entry)
	if err != nil {
		return nil, false, fmt.Errorf("listen: %q %w", entry, err)
	}
	var open []net.Listener
	for i, p := range all {
		l, err := p.listen()
		if i > 0 && noIPv6(err) {
			continue
		}
		if err != nil {
			for _, l := range open {
				l.Close()
			}
			return nil, false, fmt.Errorf("listen: %q: %w", entry, err)
		}
		open = append(open, l)
	}
	return open, all[0].remote, nil
}

func noIPv6(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func (p place) listen() (net.Listener, error) {
	if p.network == "unix" {
		if err := removeStale(p.address); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen(p.network, p.address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	if p.network == "unix" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the directory %s is missing: create it, or choose another path in api.listen; "+
			"for a service RuntimeDirectory= in the unit makes it", filepath.Dir(p.address))
	}
	if err != nil {
		return nil, err
	}
	if p.network == "unix" {
		if err := os.Chmod(p.address, socketMode); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// removeStale removes a socket that a killed daemon left behind. It takes the
// socket of no process that lives: whatever answers to a dial, or fails to in
// another way than by refusal, keeps it. Two daemons that start in the very same
// moment over one stale socket are kept apart by the lock on the state
// directory, not here.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is no socket: remove it or choose another path", path)
	}
	c, err := net.DialTimeout("unix", path, answerTime)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("%w: something answers at %s", ErrInUse, path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return os.Remove(path)
}
