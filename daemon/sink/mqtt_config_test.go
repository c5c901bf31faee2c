package sink

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
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
		{func(c *Config) { c.Path = "a" }, "path: a key of type file, which type mqtt does not have"},
		{func(c *Config) { c.Type = File; c.Path = "a" }, "url: a key of type mqtt, which type file does not have"},
	} {
		config := good
		c.edit(&config)
		err := config.Check()
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	require.Error(t, (&Config{Type: KindMQTT, URL: "mqtt://b\x7f:secret@x"}).Check())
}

func TestBrokerPorts(t *testing.T) {
	for text, want := range map[string]broker{
		"mqtt://b":         {"b", "1883", false},
		"mqtts://b":        {"b", "8883", true},
		"mqtts://b:443":    {"b", "443", true},
		"mqtt://[::1]:188": {"::1", "188", false},
	} {
		b, err := parseBroker(text)
		require.NoError(t, err)
		require.Equal(t, want, b)
	}
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	for name, path := range map[string]string{
		"owner":         write("owner", "pass word\n", 0o600),
		"owner, group":  write("group", "pass word\r\n", 0o640),
		"credential":    write("credential", "pass word", 0o400),
		"without break": write("break", "pass word", 0o440),
	} {
		secret, err := readSecret(path)
		require.NoError(t, err, name)
		require.Equal(t, "pass word", string(secret), name)
	}
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for want, path := range map[string]string{
		"mode 0644 opens it to everybody: run chmod o= on it": write("all", "x", 0o644),
		"mode 0602 opens it to everybody":                     write("writers", "x", 0o602),
		"empty: empty":                                        write("empty", "\n", 0o600),
		"longer than 4096 bytes":                              write("long", strings.Repeat("x", 4097), 0o600),
		"no such file":                                        filepath.Join(dir, "missing"),
		"not a regular file":                                  pipe,
		dir + ": not a regular file":                          dir,
	} {
		_, err := readSecret(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path, "it names the file")
	}

	c := Config{PasswordFile: filepath.Join(dir, "all"), CAFile: filepath.Join(dir, "owner")}
	err := c.CheckFiles()
	require.ErrorContains(t, err, "password_file: ")
	require.ErrorContains(t, err, "ca_file: "+c.CAFile+": no PEM certificate in it")
	require.NoError(t, (&Config{PasswordFile: filepath.Join(dir, "owner")}).CheckFiles())
}

func TestBoard(t *testing.T) {
	require.Regexp(t, `^[0-9a-f]{8}$`, boardID("0123456789abcdef"))
	require.NotEqual(t, boardID("a"), boardID("b"))
	b := ThisBoard()
	require.Len(t, b.ID, 8)
	require.NotEmpty(t, b.Name)
	require.Equal(t, b, ThisBoard())
}
