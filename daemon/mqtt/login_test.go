package mqtt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBrokerPorts(t *testing.T) {
	for text, want := range map[string]address{
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

func TestTopics(t *testing.T) {
	for _, good := range []string{"a", "a/b c", "#", "+", "a/+/b", "a/#", "+/+/#", "$SYS/broker/#"} {
		require.NoError(t, CheckFilter(good), good)
	}
	for bad, want := range map[string]string{
		"": "required", "a+/b": "whole levels", "a/b#": "whole levels", "#/a": "only at the end",
		"/a": "a level without a name", "a//b": "a level without a name", "a\x00": "not a plain text",
		strings.Repeat("a", 201): "longer than 200 bytes",
	} {
		require.ErrorContains(t, CheckFilter(bad), want, "%q", bad)
	}
	for _, c := range []struct{ filter, topic, wild, no string }{
		{filter: "a/b", topic: "a/b"},
		{filter: "a/b", no: "a"}, {filter: "a/b", no: "a/b/c"}, {filter: "a/b", no: "a/c"}, {filter: "a", no: ""},
		{filter: "a/+/c", topic: "a/b/c", wild: "b"}, {filter: "a/+", no: "a/b/c"}, {filter: "a/+", no: "a"},
		{filter: "+/x/+", topic: "a/x/b", wild: "a.b"},
		{filter: "a/#", topic: "a/b/c", wild: "b.c"}, {filter: "a/#", topic: "a"}, {filter: "a/#", no: "ab"},
		{filter: "+/#", topic: "a/b/c", wild: "a.b.c"}, {filter: "#", topic: "a/b", wild: "a.b"},
		{filter: "#", no: "$SYS/a"}, {filter: "$SYS/+", topic: "$SYS/a", wild: "a"},
	} {
		wild, ok := Match(c.filter, c.topic+c.no)
		require.Equal(t, c.no == "" && c.topic != "", ok, "%+v", c)
		require.Equal(t, c.wild, wild, "%+v", c)
	}
}

// CheckFiles names the key and the file.
func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("pass word"), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	good := write("good", 0o640)
	c := Login{PasswordFile: write("all", 0o644), CAFile: good}
	err := c.CheckFiles()
	require.ErrorContains(t, err, "password_file: "+c.PasswordFile+": mode 0644 opens it to everybody")
	require.ErrorContains(t, err, "ca_file: "+c.CAFile+": no PEM certificate in it")
	require.NoError(t, Login{PasswordFile: good}.CheckFiles())
}

func TestBoard(t *testing.T) {
	require.Regexp(t, `^[0-9a-f]{8}$`, ShortID("0123456789abcdef"))
	require.NotEqual(t, ShortID("a"), ShortID("b"))
	b := ThisBoard()
	require.Len(t, b.ID, 8)
	require.NotEmpty(t, b.Name)
	require.Equal(t, b, ThisBoard())
}
