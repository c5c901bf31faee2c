package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/api"
)

// apiClient talks to a running daemon through its Unix socket. It does without
// http.Client, whose proxies, redirects and HTTP/2 are half a megabyte.
type apiClient struct{ socket string }

const (
	maxReply = 1 << 20          // bytes of a reply
	maxWait  = 30 * time.Second // for a reply
)

// newAPIClient returns a client for the first Unix socket of c.
func newAPIClient(c api.Config) (*apiClient, error) {
	for _, entry := range c.Listen {
		if socket, ok := strings.CutPrefix(entry, "unix:"); ok {
			return &apiClient{socket}, nil
		}
	}
	return nil, fmt.Errorf("%w: api.listen: without a Unix socket there is no way to the daemon", daemon.ErrConfig)
}

func (a *apiClient) status(ctx context.Context) (api.Status, error) {
	return a.ask(ctx, http.MethodGet, "/v1/status")
}

// reload makes the daemon reload and returns its status afterwards.
func (a *apiClient) reload(ctx context.Context) (api.Status, error) {
	return a.ask(ctx, http.MethodPost, "/v1/reload")
}

// ask returns the status that a request is answered with.
func (a *apiClient) ask(ctx context.Context, method, path string) (s api.Status, err error) {
	body, err := a.exchange(ctx, method, path, nil)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}

// post sends v as JSON.
func (a *apiClient) post(ctx context.Context, path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.exchange(ctx, http.MethodPost, path, body)
	return err
}

// exchange sends a request and returns the body of the reply. The error wraps
// daemon.ErrTryAgain when no daemon answers.
func (a *apiClient) exchange(ctx context.Context, method, path string, content []byte) ([]byte, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.socket)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: no daemon answers at %s: start it", daemon.ErrTryAgain, a.socket)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; join the group of %s", err, a.socket)
	case err != nil:
		return nil, err
	}
	defer conn.Close()
	deadline := time.Now().Add(maxWait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	head := "%s %s HTTP/1.1\r\nHost: ragedge\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
	if _, err := fmt.Fprintf(conn, head, method, path, len(content), content); err != nil {
		return nil, err
	}
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		var refusal struct{ Error string }
		_ = json.Unmarshal(body, &refusal) // without a reason the code has to do
		return nil, fmt.Errorf("the daemon refused, %s: %s", reply.Status, refusal.Error)
	}
	return body, nil
}
