package sink

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckMQTT(t *testing.T) {
	good := Config{Type: KindMQTT, URL: "mqtts://broker:8883", Username: "board", PasswordFile: "p", CAFile: "ca.pem",
		Topic: "home/pump room", HomeAssistant: true}
	for _, c := range []Config{good, {Type: KindMQTT, URL: "mqtt://10.0.0.1"}, {Type: KindMQTT, URL: "mqtt://[fd00::1]:1884/"}} {
		require.NoError(t, c.Check())
		require.NoError(t, c.WithDefaults().Check())
	}
	require.Equal(t, 512, good.WithDefaults().Queue)
	for _, c := range []struct {
		edit func(*Config)
		want string
	}{
		{func(c *Config) { c.URL = "" }, "url: required: want mqtt://HOST"},
		{func(c *Config) { c.URL = "broker:1883" }, "url: want mqtt://HOST[:PORT], or mqtts://HOST[:PORT] for TLS"},
		{func(c *Config) { c.URL = "tcp://broker:1883" }, "url: want mqtt://HOST"},
		{func(c *Config) { c.URL = "mqtt://:1883" }, "url: want mqtt://HOST"},
		{func(c *Config) { c.URL = "mqtt://broker:http" }, "url: want mqtt://HOST"},
		{func(c *Config) { c.URL = "mqtt://broker/topic" }, "url: want mqtt://HOST"},
		{func(c *Config) { c.URL = "mqtt://broker?x=1" }, "url: want mqtt://HOST"},
		{func(c *Config) { c.URL = "mqtts://me:hunter2@broker" }, "use username and password_file"},
		{func(c *Config) { c.URL = "mqtt://broker" }, "ca_file: without TLS there is nothing to check"},
		{func(c *Config) { c.Username = "" }, "password_file: username is missing"},
		{func(c *Config) { c.Topic = "a/#" }, "topic: + and # are for subscribers"},
		{func(c *Config) { c.Topic = "a/+/b" }, "topic: + and # are for subscribers"},
		{func(c *Config) { c.Topic = "$SYS/a" }, "topic: topics that begin with $ are the broker's own"},
		{func(c *Config) { c.Topic = "/a" }, "topic: a slash at an end"},
		{func(c *Config) { c.Topic = "a/" }, "topic: a slash at an end"},
		{func(c *Config) { c.Topic = "a//b" }, "topic: a slash at an end"},
		{func(c *Config) { c.Topic = "a\x00b" }, "topic: not a plain text"},
		{func(c *Config) { c.Topic = "a\xffb" }, "topic: not a plain text"},
		{func(c *Config) { c.Topic = strings.Repeat("a", 201) }, "topic: longer than 200 bytes"},
		{func(c *Config) { c.Path = "a" }, "path: a key of type file, prometheus, which type mqtt does not have"},
		{func(c *Config) { c.Type = File; c.Path = "a" }, "url: a key of type mqtt, influx, which type file does not have"},
	} {
		config := good
		c.edit(&config)
		err := config.Check()
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.Error(t, (&Config{Type: KindMQTT, URL: "mqtt://b\x7f:secret@x"}).Check())
}
