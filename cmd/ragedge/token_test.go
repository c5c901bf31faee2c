package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A token lets a client reach the daemon as from another machine.
func TestTokenLetsAClientIn(t *testing.T) {
	s := newSite(t)
	code, token, errors := try(t, "token", "phone", "--file", filepath.Join(s.dir, "api.tokens"))
	require.Zero(t, code, errors)
	code, _, errors = try(t, "token", "laptop", "--file", filepath.Join(s.dir, "api.tokens"))
	require.Zero(t, code, errors)
	token = strings.TrimSpace(token)
	require.Len(t, token, 26)
	require.NotContains(t, string(s.read(t, "api.tokens")), token)
	openssl(t, s.dir)

	l, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	config := string(s.read(t, "ragedge.toml"))
	s.put(t, "ragedge.toml", []byte(strings.Replace(config, "listen = [", fmt.Sprintf("listen = [\"0.0.0.0:%s\", ", port), 1)+
		"tls_cert = \"api.crt\"\ntls_key = \"api.key\"\ntoken_file = \"api.tokens\"\n"))
	s.run(t)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(s.read(t, "api.crt")))
	for _, name := range []string{"board.local", "127.0.0.1"} {
		client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}}}
		for header, want := range map[string]int{"Bearer " + token: 200, "Bearer " + token[1:]: 401, "": 401} {
			request, err := http.NewRequest(http.MethodGet, "https://127.0.0.1:"+port+"/v1/status", nil)
			require.NoError(t, err)
			request.Header.Set("Authorization", header)
			reply, err := client.Do(request)
			require.NoError(t, err)
			reply.Body.Close()
			require.Equal(t, want, reply.StatusCode, header)
		}
	}
}

// openssl makes api.key and api.crt with the command of docs/api.md.
func openssl(t *testing.T, dir string) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^    openssl (?:.*\\\n)*.*$`).FindString(string(text))
	require.NotEmpty(t, command)
	c := exec.CommandContext(t.Context(), "sh", "-c", command)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestTokenUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tokens")
	for _, arguments := range [][]string{{"token"}, {"token", "a"}, {"token", "two words", "--file", file}, {"token", "", "--file", file}} {
		code, _, said := try(t, arguments...)
		require.Equal(t, 2, code, "%v: %s", arguments, said)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// A file whose last line has no end keeps the client of that line.
func TestTokenBeginsALine(t *testing.T) {
	for before, want := range map[string]string{"": "", "# mine": "# mine\n", "# mine\n": "# mine\n"} {
		file := filepath.Join(t.TempDir(), "tokens")
		require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
		code, _, said := try(t, "token", "phone", "--file", file)
		require.Zero(t, code, said)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Regexp(t, "^"+want+"phone sha256:[0-9a-f]{64}\n$", string(text))
	}
}
