package sink

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// broker is where an MQTT sink connects to.
type broker struct {
	host, port string
	tls        bool
}

func (b broker) address() string { return net.JoinHostPort(b.host, b.port) }

var (
	errBrokerURL = errors.New("want mqtt://HOST[:PORT], or mqtts://HOST[:PORT] for TLS")
	errURLSecret = errors.New("a user or password does not belong here: use username and password_file")
)

// parseBroker reads a broker's URL. Errors do not repeat the text, which may hold
// a password by mistake.
func parseBroker(text string) (broker, error) {
	u, err := url.Parse(text)
	if err != nil {
		return broker{}, errBrokerURL
	}
	if u.User != nil {
		return broker{}, errURLSecret
	}
	b := broker{host: u.Hostname(), port: u.Port(), tls: u.Scheme == "mqtts"}
	standard := "1883"
	if b.tls {
		standard = "8883"
	}
	if b.port == "" {
		b.port = standard
	}
	known := b.tls || u.Scheme == "mqtt"
	if !known || b.host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return broker{}, errBrokerURL
	}
	return b, nil
}

// maxTopic bounds the beginning of all topics; a topic has at most 65535 bytes.
const maxTopic = 200

// checkTopic says what is wrong with a topic that others are to be built on.
func checkTopic(topic string) error {
	switch {
	case len(topic) > maxTopic:
		return fmt.Errorf("longer than %d bytes", maxTopic)
	case !utf8.ValidString(topic) || strings.ContainsFunc(topic, unicode.IsControl):
		return errors.New("not a plain text")
	case strings.ContainsAny(topic, "+#"):
		return errors.New("+ and # are for subscribers")
	case strings.HasPrefix(topic, "$"):
		return errors.New("topics that begin with $ are the broker's own")
	case strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || strings.Contains(topic, "//"):
		return errors.New("a slash at an end, or two in a row, make a level without a name")
	}
	return nil
}

// checkMQTT reports what is wrong with the keys of type mqtt.
func (c *Config) checkMQTT() (all []error) {
	add := func(key string, err error) {
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", key, err))
		}
	}
	if c.URL == "" {
		add("url", fmt.Errorf("required: %w", errBrokerURL))
		return all
	}
	b, err := parseBroker(c.URL)
	add("url", err)
	add("topic", checkTopic(c.Topic))
	if c.CAFile != "" && err == nil && !b.tls {
		add("ca_file", errors.New("without TLS there is nothing to check: use an mqtts:// url"))
	}
	if c.PasswordFile != "" && c.Username == "" {
		add("password_file", errors.New("username is missing"))
	}
	return all
}

// CheckFiles reads the files that c names, which has passed Check: the password
// and the certificates of an MQTT sink. Errors name the key and the file.
func (c *Config) CheckFiles() error {
	var all []error
	if c.PasswordFile != "" {
		if _, err := readSecret(c.PasswordFile); err != nil {
			all = append(all, fmt.Errorf("password_file: %w", err))
		}
	}
	if c.CAFile != "" {
		if _, err := readCertificates(c.CAFile); err != nil {
			all = append(all, fmt.Errorf("ca_file: %w", err))
		}
	}
	return errors.Join(all...)
}
