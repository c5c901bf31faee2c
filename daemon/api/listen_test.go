package api

import (
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfigCheck(t *testing.T) {
	good := []string{
		"unix:/run/ragedge/api.sock", "unix:api.sock", "127.0.0.1:8080", "127.1.2.3:0", "[::1]:8080",
		"localhost:8080", ":8080",
	}
	require.NoError(t, Config{Listen: good}.Check())
	require.NoError(t, Config{}.Check())

	const remote, named = "can be reached from other machines: that needs tls_cert and tls_key, and token_file or client_ca", "names a machine: use an address"
	for entry, want := range map[string]string{
		"0.0.0.0:8080":                     remote,
		"[::]:8080":                        remote,
		"192.168.1.7:8080":                 remote,
		"[fe80::1]:8080":                   remote,
		"[::ffff:192.168.1.7]:8080":        remote,
		"169.254.1.1:80":                   remote,
		"board.local:8080":                 named,
		"localhost.example:8080":           named,
		"127.0.0.1.example:8080":           named,
		"*:8080":                           named,
		"2130706433:80":                    named, // 127.0.0.1 to some resolvers
		"":                                 "is neither unix: and a path nor an address with a port",
		"8080":                             "is neither unix: and a path nor an address with a port",
		"127.0.0.1":                        "is neither unix: and a path nor an address with a port",
		"/run/api.sock":                    "is neither unix: and a path nor an address with a port",
		"http://127.0.0.1:80":              "is neither unix: and a path nor an address with a port",
		"127.0.0.1:":                       "needs a port between 0 and 65535",
		"127.0.0.1:65536":                  "needs a port between 0 and 65535",
		"127.0.0.1:-1":                     "needs a port between 0 and 65535",
		"127.0.0.1:http":                   "needs a port between 0 and 65535",
		"unix:":                            "needs a file path of 1 to 107 bytes after unix:",
		"unix:@ragedge":                    "needs a file path of 1 to 107 bytes after unix:",
		"unix:" + strings.Repeat("a", 108): "needs a file path of 1 to 107 bytes after unix:",
	} {
		err := Config{Listen: append(good, entry)}.Check()
		require.ErrorContains(t, err, want, entry)
		require.ErrorContains(t, err, "listen: \""+entry+"\"")
		_, err = Listen(Config{Listen: []string{entry}}, &fake{}, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, want, entry)
	}
	err := Config{Listen: []string{"0.0.0.0:1", "unix:"}}.Check()
	require.ErrorContains(t, err, "0.0.0.0:1")
	require.ErrorContains(t, err, "unix:")
}

func open(t *testing.T, listen ...string) (*Server, error) {
	t.Helper()
	s, err := Listen(Config{Listen: listen}, &fake{}, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// TestSocketWithoutADirectory says what is missing, which the kernel does not.
func TestSocketWithoutADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	_, err := open(t, "unix:"+dir+"/s")
	require.ErrorContains(t, err, "the directory "+dir+" is missing: create it")
	require.ErrorContains(t, err, "api.listen")
	require.ErrorContains(t, err, "RuntimeDirectory=")
	require.NotContains(t, err.Error(), "bind:")
}

func TestSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := open(t, "unix:"+path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.ModeSocket|0o660, info.Mode())
	require.NoError(t, s.Close())
	require.NoFileExists(t, path)
	require.NoError(t, s.Close())
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.FileExists(t, path)
	_, err = open(t, "unix:"+path)
	require.NoError(t, err)
	c, err := net.Dial("unix", path)
	require.NoError(t, err)
	c.Close()
}

// TestSocketInUse: a second daemon neither starts nor disturbs the first, and
// leaves nothing of what it had opened.
func TestSocketInUse(t *testing.T) {
	r := serve(t, nil)
	other := filepath.Join(t.TempDir(), "s")
	_, err := open(t, "unix:"+other, "unix:"+r.socket)
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, r.socket)
	require.NoFileExists(t, other)
	require.Equal(t, 200, r.ask(http.MethodGet, "/healthz").code)

	_, err = open(t, r.tcp)
	require.ErrorIs(t, err, ErrInUse)
	require.Equal(t, 200, r.get("/healthz").code)
}

// TestSocketOfHungOwner: a full queue of a process that accepts nobody is an
// owner too.
func TestSocketOfHungOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	_, err = open(t, "unix:"+path)
	require.ErrorIs(t, err, ErrInUse)
	require.FileExists(t, path)
}

func TestOtherFilesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := open(t, "unix:"+path)
	require.ErrorContains(t, err, "exists and is no socket")
	require.NotErrorIs(t, err, ErrInUse)
	require.FileExists(t, path)

	_, err = open(t, "unix:"+filepath.Join(path, "below", "s"))
	require.Error(t, err)
}

// TestBarePort: a port alone is this machine only, by its name and both its
// addresses.
func TestBarePort(t *testing.T) {
	for _, entry := range []string{":0", "localhost:0"} {
		s, err := open(t, entry)
		require.NoError(t, err)
		require.NotEmpty(t, s.Addresses())
		for _, a := range s.Addresses() {
			require.True(t, a.(*net.TCPAddr).IP.IsLoopback(), a)
		}
	}
}

// TestNoListeners: without an API the server is a sink like any other.
func TestNoListeners(t *testing.T) {
	s, err := open(t)
	require.NoError(t, err)
	require.NoError(t, s.Write(some(1)))
	require.NoError(t, s.Shutdown(t.Context()))
}
