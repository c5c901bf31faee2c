package api

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/ragedge/ragedge/daemon/secret"
)

// access is what lets clients in over TCP: the files of a Config, read.
type access struct {
	tls    *tls.Config // nil: TCP is served as plain text
	tokens [][sha256.Size]byte
	// users are who may use the Unix sockets; nil: whoever can open them.
	users []uint32
}

// load reads the files that c names.
func (c *Config) load() (*access, error) {
	a := &access{}
	var err error
	if a.users, err = c.uids(); err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	if c.TokenFile != "" {
		text, err := secret.Read(c.TokenFile)
		if err == nil {
			a.tokens, err = parseTokens(text)
		}
		if err != nil {
			return nil, fmt.Errorf("token_file: %w", err)
		}
	}
	if c.TLSCert == "" {
		return a, nil
	}
	key, err := secret.Read(c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls_key: %w", err)
	}
	text, _, err := secret.ReadSmall(c.TLSCert, maxCertificate)
	if err != nil {
		return nil, fmt.Errorf("tls_cert: %w", err)
	}
	certificate, err := tls.X509KeyPair(text, key)
	if err != nil {
		return nil, fmt.Errorf("tls_cert %s: %w", c.TLSCert, err)
	}
	a.tls = &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}
	if c.ClientCA != "" {
		if a.tls.ClientCAs, err = secret.Certificates(c.ClientCA); err != nil {
			return nil, fmt.Errorf("client_ca: %w", err)
		}
		a.tls.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return a, nil
}

const maxCertificate = 1 << 20

// tokenPrefix says how the tokens of a file are hashed.
const tokenPrefix = "sha256:"

// TokenLine returns the line of a token file that lets token in. The name is for
// people, and may be any word.
func TokenLine(name, token string) string {
	digest := sha256.Sum256([]byte(token))
	return name + " " + tokenPrefix + hex.EncodeToString(digest[:]) + "\n"
}

// parseTokens reads lines of a name and a hash; empty lines and those that begin
// with # are left out.
func parseTokens(text []byte) (all [][sha256.Size]byte, err error) {
	for i, line := range bytes.Split(text, []byte("\n")) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		var digest [sha256.Size]byte
		hash, ok := []byte(nil), false
		if len(fields) == 2 {
			hash, ok = bytes.CutPrefix(fields[1], []byte(tokenPrefix))
		}
		if n, err := hex.Decode(digest[:], hash[:min(len(hash), 2*sha256.Size)]); !ok || err != nil || n != sha256.Size || len(hash) != 2*sha256.Size {
			return nil, fmt.Errorf("line %d: want a name and %s with 64 hexadecimal digits, as ragedge token prints it", i+1, tokenPrefix)
		}
		all = append(all, digest)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no token in it: ragedge token makes one")
	}
	return all, nil
}

// token returns what the request shows: as a bearer, or as the password of a
// browser, whatever the user name.
func token(r *http.Request) string {
	const scheme = "Bearer "
	if header := r.Header.Get("Authorization"); len(header) > len(scheme) && header[:len(scheme)] == scheme {
		return header[len(scheme):]
	}
	_, password, _ := r.BasicAuth()
	return password
}

// knows says whether the request proves that it may do all there is: by the
// certificate of its connection or by a token. Every token is compared, in a time
// that does not depend on what they have in common.
func (a *access) knows(r *http.Request) bool {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return true
	}
	shown := sha256.Sum256([]byte(token(r)))
	found := 0
	for i := range a.tokens {
		found |= subtle.ConstantTimeCompare(shown[:], a.tokens[i][:])
	}
	return found == 1
}
