package api

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer signs certificates for a test.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate that ends at a moment, signed by i, or by itself when
// i is nil.
func (i *issuer) issue(t *testing.T, until time.Time) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: i == nil, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if i != nil {
		parent, signer = i.certificate, i.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &issuer{certificate, key}
}

// write puts NAME.crt and NAME.key into a folder.
func (i *issuer) write(t *testing.T, dir, name string) (crt, key string) {
	crt, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	require.NoError(t, os.WriteFile(crt, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw}), 0o644))
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return crt, key
}

func (i *issuer) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.certificate.Raw}, PrivateKey: i.key}
}

func later() time.Time { return time.Now().Add(time.Hour) }

const goodToken = "UQ4JX7VZ3GQ6R2D5T2N6W3K7YA"

// guarded is a server that other machines could reach, with a token, and with
// clients that ca signs.
type guarded struct {
	*rig
	address string
	board   *issuer
	ca      *issuer
	config  Config
}

func serveGuarded(t *testing.T) *guarded {
	g := &guarded{rig: serve(t, nil), board: (*issuer)(nil).issue(t, later()), ca: (*issuer)(nil).issue(t, later())}
	dir := t.TempDir()
	c := Config{Listen: []string{"unix:" + g.socket, "0.0.0.0:0"}, TokenFile: filepath.Join(dir, "tokens")}
	c.TLSCert, c.TLSKey = g.board.write(t, dir, "board")
	c.ClientCA, _ = g.ca.write(t, dir, "ca")
	require.NoError(t, os.WriteFile(c.TokenFile, []byte("# clients\n\nold sha256:"+strings.Repeat("00", 32)+"\n"+TokenLine("phone", goodToken)), 0o640))
	require.NoError(t, c.Check())
	change(t, g.server, c)
	_, port, err := net.SplitHostPort(g.server.Addresses()[1].String())
	require.NoError(t, err)
	g.address, g.config = "https://127.0.0.1:"+port, c
	return g
}

// client trusts the board, and has a certificate when one is given.
func (g *guarded) client(own ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(g.board.certificate)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own}, DisableKeepAlives: true}
	return &http.Client{Transport: transport, Timeout: patience}
}

func (g *guarded) ask(t *testing.T, c *http.Client, method, path string, header ...string) answer {
	var body *strings.Reader = strings.NewReader("")
	if method == http.MethodPost {
		body = strings.NewReader(`{"regions":{"text":[[1]]}}`)
	}
	req, err := http.NewRequest(method, g.address+path, body)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, c, req)
}

// Row 55, "bad/absent token, expired/foreign client cert": nothing is read or run
// for who has no proof, whatever the path.
func TestRow55RemoteNeedsProof(t *testing.T) {
	g := serveGuarded(t)
	plain := g.client()
	for _, header := range [][]string{
		nil,
		{"Authorization", "Bearer "},
		{"Authorization", "Bearer wrong"},
		{"Authorization", "bearer " + goodToken},
		{"Authorization", "Bearer " + goodToken[1:]},
		{"Authorization", "Basic " + goodToken},
		{"Cookie", "token=" + goodToken},
	} {
		for _, path := range []string{"/", "/healthz", "/metrics", "/v1/status", "/nowhere"} {
			a := g.ask(t, plain, http.MethodGet, path, header...)
			if a.code == http.StatusTooManyRequests {
				continue
			}
			require.Equal(t, 401, a.code, "%v %s: %s", header, path, a.body)
			require.Contains(t, a.header.Get("Www-Authenticate"), "Basic")
		}
		require.Contains(t, []int{401, 429}, g.ask(t, plain, http.MethodPost, "/v1/regions", header...).code)
	}
	require.Empty(t, g.daemon.taken())
	require.Contains(t, g.ask(t, plain, http.MethodGet, "/metrics", "Authorization", "Bearer "+goodToken).body, "ragedge_api_unauthorized_total")

	for name, own := range map[string]*issuer{
		"expired": g.ca.issue(t, time.Now().Add(-time.Hour)),
		"foreign": (*issuer)(nil).issue(t, later()),
	} {
		_, err := g.client(own.pair()).Get(g.address + "/healthz")
		require.Error(t, err, name)
	}
	reply, err := g.client().Get("http" + strings.TrimPrefix(g.address, "https") + "/healthz")
	require.NoError(t, err)
	reply.Body.Close()
	require.Equal(t, 400, reply.StatusCode, "plain text gets nothing but that")
}

func TestRemoteWithProof(t *testing.T) {
	g := serveGuarded(t)
	token := []string{"Authorization", "Bearer " + goodToken}
	require.Equal(t, 200, g.ask(t, g.client(), http.MethodGet, "/v1/status", token...).code)
	require.Equal(t, 200, g.ask(t, g.client(), http.MethodPost, "/v1/regions", append(token, "Content-Type", "application/json")...).code)
	require.Len(t, g.daemon.taken(), 1)

	req, err := http.NewRequest(http.MethodGet, g.address+"/v1/status", nil)
	require.NoError(t, err)
	req.SetBasicAuth("anybody", goodToken)
	require.Equal(t, 200, do(t, g.client(), req).code, "as browsers do")

	mine := g.client(g.ca.issue(t, later()).pair())
	require.Equal(t, 200, g.ask(t, mine, http.MethodPost, "/v1/regions", "Content-Type", "application/json").code)
	require.Len(t, g.daemon.taken(), 2)

	a := g.ask(t, mine, http.MethodGet, "/v1/status", "Origin", "https://evil.example")
	require.Equal(t, 403, a.code, "a certificate goes along with requests of any page")
	require.Equal(t, 200, g.ask(t, mine, http.MethodGet, "/v1/status", "Origin", g.address).code)
}

// Wrong tokens are told to wait after some; a right one passes all the same.
func TestWrongTokensAreSlowedDown(t *testing.T) {
	g := serveGuarded(t)
	wrong := func() int {
		return g.ask(t, g.client(), http.MethodGet, "/healthz", "Authorization", "Bearer wrong").code
	}
	for range failuresAtOnce {
		require.Equal(t, 401, wrong())
	}
	for g.server.failures.spend(time.Now().Add(time.Hour)) { // however long a request takes here
	}
	require.Equal(t, 429, wrong())
	require.Equal(t, 200, g.ask(t, g.client(), http.MethodGet, "/healthz", "Authorization", "Bearer "+goodToken).code)

	var f failures
	now := time.Now()
	for range failuresAtOnce {
		require.True(t, f.spend(now))
	}
	require.False(t, f.spend(now))
	require.True(t, f.spend(now.Add(failuresEvery)))
	require.False(t, f.spend(now.Add(failuresEvery)))
	for range failuresAtOnce {
		require.True(t, f.spend(now.Add(time.Hour)))
	}
}

// With a token, loopback takes data from who has it, and lets all read.
func TestLoopbackWithAToken(t *testing.T) {
	r := serve(t, nil)
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte(TokenLine("me", goodToken)), 0o600))
	change(t, r.server, Config{Listen: []string{"unix:" + r.socket, "127.0.0.1:0"}, TokenFile: file})
	post := func(header string) answer {
		req, err := http.NewRequest(http.MethodPost, "http://"+r.tcp+"/v1/regions", strings.NewReader(`{"regions":{"text":[[1]]}}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", header)
		return do(t, r.web, req)
	}
	require.Equal(t, 401, post("").code)
	require.Equal(t, 401, post("Bearer wrong").code)
	require.Empty(t, r.daemon.taken())
	require.Equal(t, 200, post("Bearer "+goodToken).code)
	require.Len(t, r.daemon.taken(), 1)
	req, err := http.NewRequest(http.MethodGet, "http://"+r.tcp+"/v1/status", nil)
	require.NoError(t, err)
	require.Equal(t, 200, do(t, r.web, req).code)
}

// Row 54, "remote bind without auth configured": refused in every combination of
// the keys that leaves the door open, by the check and by the server itself.
func TestRow54RemoteWithoutProofIsRefused(t *testing.T) {
	dir := t.TempDir()
	board := (*issuer)(nil).issue(t, later())
	crt, key := board.write(t, dir, "board")
	file := filepath.Join(dir, "tokens")
	require.NoError(t, os.WriteFile(file, []byte(TokenLine("me", goodToken)), 0o600))
	either := func(bit int, value string) string {
		if bit != 0 {
			return value
		}
		return ""
	}
	for i := range 1 << 4 {
		c := Config{TLSCert: either(i&1, crt), TLSKey: either(i&2, key), TokenFile: either(i&4, file), ClientCA: either(i&8, crt)}
		for address, remote := range map[string]bool{
			"0.0.0.0:0": true, "[::]:0": true, "192.0.2.1:0": true, "127.0.0.1:0": false, "[::1]:0": false, "localhost:0": false, ":0": false,
		} {
			c.Listen = []string{address}
			err := c.Check()
			whole := i&3 == 0 || i&3 == 3
			allowed := whole && (i&8 == 0 || i&3 == 3) && (!remote || i&3 == 3 && i&12 != 0)
			require.Equal(t, allowed, err == nil, "%+v: %v", c, err)
			if allowed {
				require.NoError(t, c.CheckFiles())
				continue
			}
			_, err = Listen(c, &fake{}, nil)
			require.Error(t, err)
		}
	}
}

func TestFilesOfTheAPI(t *testing.T) {
	dir := t.TempDir()
	board, other := (*issuer)(nil).issue(t, later()), (*issuer)(nil).issue(t, later())
	crt, key := board.write(t, dir, "board")
	_, strange := other.write(t, dir, "other")
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	open := file("open", TokenLine("me", goodToken), 0o644)
	require.NoError(t, os.Chmod(open, 0o644))
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{TokenFile: filepath.Join(dir, "missing")}, "token_file: "},
		{Config{TokenFile: open}, "run chmod o= on it"},
		{Config{TokenFile: file("plain", goodToken+"\n", 0o600)}, "line 1: want a name and sha256:"},
		{Config{TokenFile: file("short", "\nme sha256:00\n", 0o600)}, "line 2: want a name"},
		{Config{TokenFile: file("none", "# nobody\n", 0o600)}, "no token in it"},
		{Config{TLSCert: crt, TLSKey: strange}, "tls_cert " + crt},
		{Config{TLSCert: crt, TLSKey: filepath.Join(dir, "missing")}, "tls_key: "},
		{Config{TLSCert: dir, TLSKey: key}, "not a regular file"},
		{Config{TLSCert: crt, TLSKey: key, ClientCA: key}, "no PEM certificate"},
		{Config{Users: []string{"no-such-user"}}, "users: user: unknown user no-such-user"},
	} {
		require.ErrorContains(t, c.config.CheckFiles(), c.want)
	}
}

// Row 53, "peer uid not allowed on unix socket": the kernel says who it is.
func TestRow53PeerOfTheSocket(t *testing.T) {
	r := serve(t, nil)
	set := func(users ...string) {
		change(t, r.server, Config{Listen: []string{"unix:" + r.socket, "127.0.0.1:0"}, Users: users})
	}
	get := func() answer { return r.ask(http.MethodGet, "/v1/status") }
	set(strconv.Itoa(os.Getuid()))
	require.Equal(t, 200, get().code)
	set("4294967294")
	a := get()
	require.Equal(t, 403, a.code)
	require.Contains(t, a.body, fmt.Sprintf("user %d is none of api.users", os.Getuid()))
	require.Equal(t, 403, r.push("", "application/json", []byte(`{"regions":{"text":[[1]]}}`)).code)
	require.Empty(t, r.daemon.taken())

	curl, err := exec.LookPath("curl")
	if os.Getuid() != 0 || err != nil {
		t.Skip("only root, with curl, can come as somebody else")
	}
	set()
	dir := filepath.Dir(r.socket)
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		require.NoError(t, os.Chmod(d, 0o755))
	}
	c := exec.CommandContext(t.Context(), curl, "-sS", "--unix-socket", r.socket, "http://ragedge/v1/status")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}}
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	require.Error(t, c.Run(), "the mode of the socket keeps others out: %s", &said)
}
