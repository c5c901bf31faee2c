package mqtt

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExplain names the drop-in where the unit's filter can be the reason, and
// nowhere else.
func TestExplain(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	timeout := &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
	for name, c := range map[string]struct {
		err     error
		service bool
		want    bool
	}{
		"address denied":          {dial(syscall.EPERM), true, true},
		"address family denied":   {dial(syscall.EAFNOSUPPORT), true, true},
		"denied without a reason": {dial(syscall.EACCES), false, true},
		"DNS denied":              {&net.DNSError{Err: "write udp 10.0.0.1:53: operation not permitted", Name: "b"}, true, true},
		"packets dropped":         {timeout, true, true},
		"no answer":               {timeout, false, false},
		"kernel's timeout":        {dial(syscall.ETIMEDOUT), true, true},
		"nobody there":            {dial(syscall.ECONNREFUSED), true, false},
		"no such host":            {&net.DNSError{Err: "no such host", Name: "b", IsNotFound: true}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &dialer{service: c.service}
			err := d.explain(c.err)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, strings.Contains(err.Error(), "20-mqtt.conf"), "%v", err)
		})
	}
	_, err := os.Stat("../../systemd/" + dropIn)
	require.NoError(t, err, "the drop-in exists")
}

// avahi answers one line to every question.
func avahi(t *testing.T, answer func(question string) string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "avahi") // a socket's path must be short
	require.NoError(t, err)
	socket = filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			question, _ := bufio.NewReader(c).ReadString('\n')
			_, _ = c.Write([]byte(answer(question)))
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		os.RemoveAll(dir)
	})
	return socket
}

func TestResolve(t *testing.T) {
	socket := avahi(t, func(question string) string {
		switch question {
		case "RESOLVE-HOSTNAME-IPV4 broker.local\n":
			return "+ 2 0 broker.local 192.168.1.7\n"
		case "RESOLVE-HOSTNAME-IPV4 odd.local\n":
			return "+ 2 0 odd.local not-an-address\n"
		case "RESOLVE-HOSTNAME-IPV4 long.local\n":
			return strings.Repeat("x", 4096) + "\n"
		case "RESOLVE-HOSTNAME-IPV4 mute.local\n":
			return ""
		}
		return "-15 Timeout reached\n"
	})
	for host, want := range map[string]string{
		"broker.local":   "192.168.1.7",
		"unknown.local":  "unknown.local",
		"odd.local":      "odd.local",
		"long.local":     "long.local",
		"mute.local":     "mute.local",
		"broker":         "broker",
		"broker.example": "broker.example",
		"10.0.0.1":       "10.0.0.1",
	} {
		require.Equal(t, want, resolve(t.Context(), socket, host))
	}
	require.Equal(t, "broker.local", resolve(t.Context(), socket+"-missing", "broker.local"))
	ended, stop := context.WithCancel(t.Context())
	stop()
	require.Equal(t, "broker.local", resolve(ended, socket, "broker.local"))
}

func TestDialsALocalName(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	d := &dialer{
		broker: address{host: "broker.local", port: port},
		avahi:  avahi(t, func(string) string { return "+ 1 0 broker.local 127.0.0.1\n" }),
	}
	c, err := d.dial(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestExplainTLSLeavesOthersAlone(t *testing.T) {
	err := errors.New("EOF")
	require.Equal(t, err, explainTLS(err))
}
