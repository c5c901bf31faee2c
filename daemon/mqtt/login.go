// Package mqtt holds what connects this board to a broker for MQTT 5, once for
// whoever publishes and whoever subscribes: the way in, the guard against a broker
// that is broken or hostile, and the pace of trying again.
package mqtt

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/ragedge/ragedge/daemon/secret"
)

// Login says where a broker is and as whom to enter, in keys of the configuration.
type Login struct {
	// URL is mqtt://HOST or, with TLS, mqtts://HOST; the port is 1883 or 8883
	// where none is named.
	URL string
	// Username, and the file that holds nothing but its password.
	Username, PasswordFile string
	// CAFile holds the certificates (PEM) of who signed the broker's. Empty: those
	// that the system trusts.
	CAFile string
}

// Check adds what is wrong with the keys.
func (l Login) Check(add func(key string, err error)) {
	if l.URL == "" {
		add("url", fmt.Errorf("required: %w", errBrokerURL))
		return
	}
	b, err := parseBroker(l.URL)
	if err != nil {
		add("url", err)
	} else if l.CAFile != "" && !b.tls {
		add("ca_file", errors.New("without TLS there is nothing to check: use an mqtts:// url"))
	}
	if l.PasswordFile != "" && l.Username == "" {
		add("password_file", errors.New("username is missing"))
	}
}

// CheckFiles reads the password and the certificates. Errors name the key and the
// file.
func (l Login) CheckFiles() error {
	var all []error
	if l.PasswordFile != "" {
		if _, err := secret.Read(l.PasswordFile); err != nil {
			all = append(all, fmt.Errorf("password_file: %w", err))
		}
	}
	if l.CAFile != "" {
		if _, err := secret.Certificates(l.CAFile); err != nil {
			all = append(all, fmt.Errorf("ca_file: %w", err))
		}
	}
	return errors.Join(all...)
}

// address is where a broker listens.
type address struct {
	host, port string
	tls        bool
}

func (a address) String() string { return net.JoinHostPort(a.host, a.port) }

var (
	errBrokerURL = errors.New("want mqtt://HOST[:PORT], or mqtts://HOST[:PORT] for TLS")
	errURLSecret = errors.New("a user or password does not belong here: use username and password_file")
)

// parseBroker reads a broker's URL. Errors do not repeat the text, which may hold
// a password by mistake.
func parseBroker(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, errBrokerURL
	}
	if u.User != nil {
		return address{}, errURLSecret
	}
	a := address{host: u.Hostname(), port: u.Port(), tls: u.Scheme == "mqtts"}
	standard := "1883"
	if a.tls {
		standard = "8883"
	}
	if a.port == "" {
		a.port = standard
	}
	known := a.tls || u.Scheme == "mqtt"
	if !known || a.host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return address{}, errBrokerURL
	}
	return a, nil
}
