package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

var errNoPeer = errors.New("the kernel does not say who is at the other end of the socket")

// peer returns the user at the other end of a request's Unix socket, as it was
// when the connection was made.
func peer(ctx context.Context) (uid uint32, err error) {
	c, ok := ctx.Value(connKey{}).(*conn)
	if !ok {
		return 0, errNoPeer
	}
	socket, ok := c.Conn.(*net.UnixConn)
	if !ok {
		return 0, errNoPeer
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoPeer, err)
	}
	var found *syscall.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		found, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return 0, fmt.Errorf("%w: %w", errNoPeer, err)
	}
	if failed != nil {
		return 0, fmt.Errorf("%w: %w", errNoPeer, failed)
	}
	return found.Uid, nil
}
