package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var environment = map[string]string{"HOST": "broker.local", "EMPTY": "", "EVERY": "5s", "ODD": "a\"b\\c\nd ${HOST}"}

func lookup(name string) (string, bool) {
	v, ok := environment[name]
	return v, ok
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing to do", "a = 'x' # ${HOST}\n", "a = 'x' # ${HOST}\n"},
		{"within a string", "url = \"mqtt://${HOST}:1883\" # ${HOST}\n", "url = \"mqtt://broker.local:1883\" # ${HOST}\n"},
		{"a literal string", "url = '${HOST}'\n", "url = \"broker.local\"\n"},
		{"twice", "a = \"${HOST}${HOST}\"\n", "a = \"broker.localbroker.local\"\n"},
		{"default of an unset one", "a = \"${GONE:-x y}\"\n", "a = \"x y\"\n"},
		{"default of an empty one", "a = \"${EMPTY:-x}\"\n", "a = \"x\"\n"},
		{"empty default", "a = \"<${GONE:-}>\"\n", "a = \"<>\"\n"},
		{"empty", "a = \"<${EMPTY}>\"\n", "a = \"<>\"\n"},
		{"its value is text", "a = \"${ODD}\"\n", "a = \"a\\\"b\\\\c\\u000Ad ${HOST}\"\n"},
		{"escaped", "a = \"$${HOST} $HOST $$\"\n", "a = \"${HOST} $HOST $$\"\n"},
		{"in lists and tables", "a = [\"x\", [\"${HOST}\"]]\nb = { c = \"${EVERY}\", d.e = '${HOST}' }\n",
			"a = [\"x\", [\"broker.local\"]]\nb = { c = \"5s\", d.e = \"broker.local\" }\n"},
		{"not in keys", "\"${HOST}\" = 1\n", "\"${HOST}\" = 1\n"},
		{"no TOML", "a = \"${HOST}\"\nb = = 1\n", "a = \"${HOST}\"\nb = = 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := expand([]byte(c.text), lookup)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestExpandNamesKeyAndVariable(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unset", "\n[[sink]]\n[[sink]]\nurl = \"mqtt://${GONE}\"\n", "4:7: sink[1].url: environment variable GONE is not set; set it, or write ${GONE:-default}"},
		{"in a list", "[[sensor]]\ncommand = [\"a\", \"${GONE}\"]\n", "2:17: sensor[0].command[1]: environment variable GONE"},
		{"in a table of a table", "[[sensor]]\n[sensor.channels]\nx = \"${GONE}\"\n", "3:5: sensor[0].channels.x: environment variable GONE"},
		{"in an inline table", "[[sensor]]\nchannels = { x = \"${GONE}\" }\n", "2:18: sensor[0].channels.x: environment variable GONE"},
		{"open", "[agent]\nmodel = \"${HOST\"\n", `2:9: agent.model: "${" begins no ${NAME}`},
		{"no name", "[agent]\nmodel = \"${}\"\n", `agent.model: "${" begins no ${NAME}`},
		{"not a name", "[agent]\nmodel = \"${1A}\"\n", `agent.model: "${" begins no ${NAME}`},
		{"several lines", "[agent]\nmodel = \"\"\"\n${HOST}\"\"\"\n", "2:9: agent.model: a string over several lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := expand([]byte(c.text), lookup)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadConfigReadsTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("RAGEDGE_TEST_EVERY", "5s")
	t.Setenv("RAGEDGE_TEST_MODELS", "/srv/models")
	main := writeFile(t, dir, "c.toml", `
[agent]
model_directory = "${RAGEDGE_TEST_MODELS}"
model = "${RAGEDGE_TEST_MODEL:-room}.safetensors"
[[sensor]]
alias = "a"
type = "i2c"
driver = "bh1750"
bus = "1"
interval = "${RAGEDGE_TEST_EVERY}"
`)
	c, err := LoadConfig(main, "")
	require.NoError(t, err)
	require.Equal(t, "/srv/models/room.safetensors", c.ModelPath())
	require.EqualValues(t, 5e9, c.Sensors[0].Interval)

	drop := writeFile(t, dir, "c.d/10.toml", "[[sink]]\ntype = \"file\"\npath = \"${RAGEDGE_TEST_GONE}\"\n")
	_, err = LoadConfig(main, DropIns(main))
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, drop+": 3:8: sink[0].path: environment variable RAGEDGE_TEST_GONE is not set")
}

// Tables of several files become one, key by key, down to the keys of a modality.
func TestLoadConfigMergesTables(t *testing.T) {
	dir := t.TempDir()
	main := writeFile(t, dir, "c.toml", "[agent]\nthreads = 2\n[features]\ntick = \"10s\"\n"+
		"[features.modality.light]\nencoder = \"window\"\nchannels = [\"a\", \"b\"]\nregions = 2\nevery = \"10s\"\nfunctions = [\"last\"]\n")
	writeFile(t, dir, "c.d/20.toml", "[agent]\ntrigger = \"push\"\n[features.modality.light]\nregions = 3\nchannels = [\"c\"]\n[features.modality.air]\nencoder = \"push\"\nregions = 1\n")
	c, err := LoadConfig(main, DropIns(main))
	require.NoError(t, err)
	require.Equal(t, 2, c.Agent.Threads)
	require.Equal(t, TriggerPush, c.Agent.Trigger)
	require.EqualValues(t, 10e9, c.Features.Tick)
	light := c.Features.Modalities["light"]
	require.Equal(t, 3, light.Regions)
	require.Equal(t, []string{"c"}, light.Channels)
	require.EqualValues(t, 10e9, light.Every, "what the drop-in does not say stays")
	require.Equal(t, 1, c.Features.Modalities["air"].Regions)
}

func FuzzExpand(f *testing.F) {
	files, err := filepath.Glob("../examples/*.toml")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("[[sensor]]\nalias = \"${HOST}\"\nchannels = { a = '${GONE:-b}' }\n[sensor.x]\ny = \"$${\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, b := DefaultConfig(), DefaultConfig()
		got, _, err := expand(text, lookup)
		if err == nil && string(got) == string(text) {
			return
		}
		if err == nil && parseConfig(text, &a) == nil && len(a.Features.Modalities) == 0 {
			require.NoError(t, parseConfig(got, &b), "%s", got)
		}
	})
}
