package api

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// brokenDoor is a listener that fails for as long as it is told.
type brokenDoor struct {
	clients chan net.Conn
	closed  chan struct{}
	once    sync.Once

	mu    sync.Mutex
	fails error
	tries int
}

func (d *brokenDoor) Accept() (net.Conn, error) {
	d.mu.Lock()
	d.tries++
	err := d.fails
	d.mu.Unlock()
	select {
	case <-d.closed:
		return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
	default:
	}
	if err != nil {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	select {
	case c := <-d.clients:
		return c, nil
	case <-d.closed:
		return nil, &net.OpError{Op: "accept", Err: net.ErrClosed}
	}
}

func (d *brokenDoor) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *brokenDoor) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "/broken"} }

// fail makes it fail with err, nil not at all, and returns how often it was tried.
func (d *brokenDoor) fail(err error) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails = err
	return d.tries
}

// TestRow57AcceptFails: while no connection can be taken the server tries again at
// growing distances, says so once, and serves as soon as it can.
func TestRow57AcceptFails(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPROTO} {
		t.Run(errno.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				door := &brokenDoor{clients: make(chan net.Conn), closed: make(chan struct{}), fails: errno}
				var log bytes.Buffer
				s, err := start(Config{}, &fake{}, slog.New(slog.NewTextHandler(&log, nil)), defaultLimits)
				require.NoError(t, err)
				broken := &site{entry: "unix:/broken", listeners: []net.Listener{door}}
				s.sites = append(s.sites, broken)
				s.serve(broken)

				time.Sleep(time.Minute)
				synctest.Wait()
				tries := door.fail(nil)
				require.Greater(t, tries, 60, "it never gives up")
				require.Less(t, tries, 70, "it does not spin")
				require.EqualValues(t, tries, s.metrics.notAccepted.Get())
				require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
				require.Contains(t, log.String(), errno.Error())

				time.Sleep(mostRest)
				for range 2 { // a good one makes it forget
					client, server := net.Pipe()
					door.clients <- server
					go io.WriteString(client, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
					reply, err := http.ReadResponse(bufio.NewReader(client), nil)
					require.NoError(t, err)
					require.Equal(t, 200, reply.StatusCode)
					require.NoError(t, client.Close())
				}
				require.EqualValues(t, tries, s.metrics.notAccepted.Get())

				synctest.Wait() // until the next call is under way: it does not know of the error yet
				door.fail(errno)
				client, server := net.Pipe()
				door.clients <- server // the call that was under way
				require.NoError(t, client.Close())
				time.Sleep(10 * time.Second)
				begun := time.Now()
				require.NoError(t, s.Shutdown(t.Context()))
				require.LessOrEqual(t, time.Since(begun), mostRest+time.Second, "it stops meanwhile, too")
				require.Equal(t, 2, strings.Count(log.String(), "level=ERROR"), log.String())
			})
		})
	}
}

// TestRow57ClientsLeaveDescriptors: clients can never take all the file descriptors
// that a process may have.
func TestRow57ClientsLeaveDescriptors(t *testing.T) {
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	lowered := before
	lowered.Cur = min(before.Cur, 300)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lowered))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)) }()
	s := newServer(&fake{}, slog.New(slog.DiscardHandler), defaultLimits)
	require.EqualValues(t, lowered.Cur/2, s.conns.max)
}
