package main

import (
	"bufio"
	"bytes"
	"cmp"
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

// get returns the body of what a path answers.
func (a *apiClient) get(ctx context.Context, path string) ([]byte, error) {
	return a.exchange(ctx, http.MethodGet, path, nil)
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
	deadline := time.Now().Add(maxWait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	reply, err := a.open(ctx, deadline, method, path, content)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		return nil, refusal(reply, body)
	}
	return body, nil
}

// refusal is the error of a reply that says no.
func refusal(reply *http.Response, body []byte) error {
	var says struct{ Error string }
	_ = json.Unmarshal(body, &says) // without a reason the code has to do
	return fmt.Errorf("the daemon refused, %s: %s", reply.Status, says.Error)
}

// stream calls each with the data of every event of a stream, until the stream or
// ctx ends. data is each's only until it returns.
func (a *apiClient) stream(ctx context.Context, path string, each func(data []byte)) error {
	reply, err := a.open(ctx, time.Time{}, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(reply.Body, maxReply))
		return refusal(reply, body)
	}
	lines := bufio.NewScanner(reply.Body)
	lines.Buffer(nil, maxReply)
	for lines.Scan() {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok {
			each(bytes.TrimSpace(data))
		}
	}
	return cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
}

// open sends a request and returns the reply, whose Body is the connection's: ctx
// or the deadline, if there is one, ends both.
func (a *apiClient) open(ctx context.Context, deadline time.Time, method, path string, content []byte) (*http.Response, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: no daemon answers at %s: there is no such socket; start the daemon", daemon.ErrTryAgain, a.socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: no daemon answers at %s: nothing listens on the socket; start the daemon", daemon.ErrTryAgain, a.socket)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; join the group of %s", err, a.socket)
	case err != nil:
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	reply, err := send(conn, deadline, method, path, content)
	if err != nil {
		stop()
		conn.Close()
		return nil, fmt.Errorf("the daemon at %s does not answer: %w", a.socket, err)
	}
	reply.Body = &replyBody{reply.Body, func() { stop(); conn.Close() }}
	return reply, nil
}

func send(conn net.Conn, deadline time.Time, method, path string, content []byte) (*http.Response, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	head := "%s %s HTTP/1.1\r\nHost: ragedge\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
	if _, err := fmt.Fprintf(conn, head, method, path, len(content), content); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

// replyBody closes its connection, which http.ReadResponse does not know of. The
// body itself is left as it is: to close it would read it to its end.
type replyBody struct {
	io.Reader
	close func()
}

func (b *replyBody) Close() error { b.close(); return nil }
