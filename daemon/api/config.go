package api

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// Config is the [api] table.
type Config struct {
	// Listen names the places to serve at: "unix:/run/ragedge/api.sock", or an
	// address such as "127.0.0.1:8080", "[::1]:8080" or "localhost:8080". ":8080" is
	// loopback too. An address that other machines can reach, "0.0.0.0:8443", needs
	// TLS, and a token or client_ca. Empty: no API.
	Listen []string `toml:"listen"`
	// TLSCert and TLSKey are PEM files; with them all addresses speak TLS.
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
	// TokenFile holds the hashes of the tokens that let a client do everything, as
	// ragedge token writes them.
	TokenFile string `toml:"token_file"`
	// ClientCA holds the certificates (PEM) of who signed those of clients, which then
	// need no token.
	ClientCA string `toml:"client_ca"`
	// Users are those who may use the Unix sockets, by name or number. Empty: all that
	// the socket's mode lets in.
	Users []string `toml:"users"`
}

var errOpen = errors.New("can be reached from other machines: that needs tls_cert and tls_key, and token_file or client_ca; " +
	"or listen at 127.0.0.1 or on a Unix socket")

// Check reports every key that the server would not take, and every address that
// would let in whoever finds it. It reads no file.
func (c Config) Check() error {
	var all []error
	add := func(format string, arguments ...any) { all = append(all, fmt.Errorf(format, arguments...)) }
	safe := c.TLSCert != "" && c.TLSKey != "" && (c.TokenFile != "" || c.ClientCA != "")
	for _, entry := range c.Listen {
		somewhere, err := places(entry)
		if err == nil && somewhere[0].remote && !safe {
			err = errOpen
		}
		if err != nil {
			add("listen: %q %w", entry, err)
		}
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		add("tls_cert and tls_key: one needs the other")
	case c.ClientCA != "" && c.TLSCert == "":
		add("client_ca: clients have certificates only with TLS: set tls_cert and tls_key")
	}
	for _, name := range c.Users {
		if name == "" {
			add("users: an empty name")
		}
	}
	return errors.Join(all...)
}

// CheckFiles reports what is wrong with the files that c names.
func (c Config) CheckFiles() error {
	_, err := c.load()
	return err
}

// uids returns the numbers of the users.
func (c *Config) uids() (all []uint32, err error) {
	for _, name := range c.Users {
		number := name
		if _, err := strconv.ParseUint(name, 10, 32); err != nil {
			known, err := user.Lookup(name)
			if err != nil {
				return nil, err
			}
			number = known.Uid
		}
		uid, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, err
		}
		all = append(all, uint32(uid))
	}
	return all, nil
}
