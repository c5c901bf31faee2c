package daemon

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

// leaves lists the keys of the configuration's types, as the table keys names them.
func leaves(t reflect.Type, name string) (all []string) {
	for t.Kind() == reflect.Slice && isTable(t) {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if key := tomlName(t.Field(i)); key != "" {
				all = append(all, leaves(t.Field(i).Type, below(name, key))...)
			}
		}
	case isTable(t):
		return leaves(t.Elem(), name+".NAME")
	default:
		return []string{name}
	}
	return all
}

// TestKeysAreDocumented: what config default and config schema say of keys is
// about the keys there are, all of them.
func TestKeysAreDocumented(t *testing.T) {
	var documented []string
	for _, k := range keys() {
		documented = append(documented, k.name)
		require.NotEmpty(t, k.about, k.name)
	}
	require.ElementsMatch(t, leaves(reflect.TypeFor[Config](), ""), documented)
}

// TestDefaultIsTheDefault: the commented file is an empty configuration, and
// without the comment signs it holds every key, each of the right type, and the
// defaults.
func TestDefaultIsTheDefault(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, WriteDefault(&text))
	c := DefaultConfig()
	require.NoError(t, parseConfig(text.Bytes(), &c))
	require.Equal(t, DefaultConfig(), c)

	set := regexp.MustCompile(`(?m)^#([^ ])`).ReplaceAllString(text.String(), "$1")
	require.NoError(t, parseConfig([]byte(set), &c))
	require.Equal(t, DefaultConfig().Agent, c.Agent)
	require.Equal(t, DefaultConfig().API.Listen, c.API.Listen)
	for _, k := range keys() {
		require.Contains(t, set, "\n"+k.name[strings.LastIndex(k.name, ".")+1:]+" = ")
	}
}

// TestWordsAreThoseOfCheck: of each key with a list of words, Check takes exactly
// these.
func TestWordsAreThoseOfCheck(t *testing.T) {
	base := map[string]string{
		"agent":                  "[agent]\n",
		"features.modality.NAME": "[features]\ntick=\"1s\"\n[features.modality.m]\nchannels=[\"c\"]\nregions=1\nevery=\"1s\"\nfunctions=[\"last\"]\nstale_after=\"9s\"\n",
		"sensor":                 "[[sensor]]\nalias=\"a\"\n",
		"sink":                   "[[sink]]\n",
		"record":                 "[record]\n",
		"sensor.registers":       "[[sensor]]\nalias=\"a\"\ntype=\"i2c\"\nbus=\"1\"\naddress=0x23\ndriver=\"registers\"\n[[sensor.registers]]\nname=\"x\"\nwidth=2\n",
	}
	for _, k := range keys() {
		if len(k.words) == 0 {
			continue
		}
		i := strings.LastIndex(k.name, ".")
		table, name := k.name[:i], k.name[i+1:]
		refused := func(word string) bool {
			text := base[table]
			switch k.name {
			case "features.modality.NAME.encoder":
				text = "[features]\ntick=\"1s\"\n[features.modality.m]\nregions=1\n"
			case "features.modality.NAME.fill":
				text += "encoder=\"window\"\n"
			case "sensor.bias":
				text += "type=\"gpio\"\nline=\"x\"\n"
			case "sensor.data_format":
				text += "type=\"exec\"\ncommand=[\"/bin/true\"]\nchannels={x=\"x\"}\n"
				if word == sensor.FormatRegions {
					text = base[table] + "type=\"mqtt\"\nurl=\"mqtt://b\"\ntopic=\"t\"\n"
				}
			case "sink.publish":
				text += "type=\"stdout\"\n"
			case "sensor.startup_error", "sensor.frozen", "sensor.out_of_range":
				text += "type=\"i2c\"\ndriver=\"bh1750\"\nbus=\"1\"\nfrozen_after=\"1m\"\nranges={lux=[0,1]}\n"
			}
			c := DefaultConfig()
			require.NoError(t, parseConfig([]byte(text+name+" = "+quote(word)+"\n"), &c), k.name)
			err := c.Check()
			return err != nil && strings.Contains(err.Error(), name) && strings.Contains(err.Error(), quote(word))
		}
		require.True(t, refused("nonsense"), k.name)
		for _, word := range k.words {
			require.False(t, refused(word), "%s = %s", k.name, word)
		}
	}
}

// obeys says how a decoded value breaks a schema, "" when it does not.
func obeys(s *schema, v any, path string) string {
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			return path + " is a table"
		}
		for name, value := range v {
			inner := s.Properties[name]
			if inner == nil {
				all, ok := s.Additional.(*schema)
				if !ok {
					return path + "." + name + " is unknown"
				}
				inner = all
			}
			if wrong := obeys(inner, value, path+"."+name); wrong != "" {
				return wrong
			}
		}
	case []any:
		if s.Type != "array" {
			return path + " is a list"
		}
		for _, e := range v {
			if wrong := obeys(s.Items, e, path); wrong != "" {
				return wrong
			}
		}
	case string:
		if s.Type != "string" || s.Enum != nil && !slices.Contains(s.Enum, v) || !regexp.MustCompile(s.Pattern).MatchString(v) {
			return path + " is " + v
		}
	case bool:
		if s.Type != "boolean" {
			return path + " is a boolean"
		}
	case int64:
		if s.Type != "integer" && s.Type != "number" || s.Minimum != nil && v < int64(*s.Minimum) || s.Maximum != nil && v > int64(*s.Maximum) {
			return path + " is an integer"
		}
	case float64:
		if s.Type != "number" {
			return path + " is a number"
		}
	}
	return ""
}

// TestSchemaAgreesWithCheck: what the schema takes the decoder takes, and what one
// refuses for its name or type the other refuses too.
func TestSchemaAgreesWithCheck(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, WriteSchema(&text))
	require.True(t, json.Valid(text.Bytes()))
	s := schemaOf(reflect.TypeFor[Config](), "")
	all := bytes.Buffer{}
	require.NoError(t, WriteDefault(&all))
	for _, c := range []struct {
		text string
		good bool
	}{
		{regexp.MustCompile(`(?m)^#([^ ])`).ReplaceAllString(all.String(), "$1"), true},
		{"[agent]\nmodle = \"x\"\n", false},
		{"agnet = 1\n", false},
		{"[agent]\nmodel = 7\n", false},
		{"[agent]\nthreads = \"2\"\n", false},
		{"[[sensor]]\naddress = 70000\n", false},
		{"[[sensor]]\naddress = -1\n", false},
		{"[[sensor]]\ninterval = \"5 minutes\"\n", false},
		{"[[sensor]]\ninterval = \"1h2m0.5s\"\n", true},
		{"[[sensor]]\ninterval = 5\n", false},
		{"[[sensor]]\nactive_low = \"yes\"\n", false},
		{"[[sensor]]\nsetup = [[1, 256]]\n", false},
		{"[[sensor]]\nchannels = { a = 1 }\n", false},
		{"[features.modality.light]\nregions = \"8\"\n", false},
		{"[features.modality.light]\nchanels = []\n", false},
		{"[[sensor]]\n[[sensor.registers]]\nscale = 1\n", true},
	} {
		var v map[string]any
		require.NoError(t, toml.Unmarshal([]byte(c.text), &v))
		config := DefaultConfig()
		require.Equal(t, c.good, parseConfig([]byte(c.text), &config) == nil, "decoder: %s", c.text)
		require.Equal(t, c.good, obeys(s, v, "") == "", "schema: %s: %s", c.text, obeys(s, v, ""))
	}
}

func TestShowReadsBack(t *testing.T) {
	dir := t.TempDir()
	main := writeFile(t, dir, "c.toml", `
[agent]
model = "m.safetensors"
[features]
tick = "10s"
[features.modality.light]
encoder = "window"
channels = ["lux"]
regions = 2
every = "10s"
functions = ["last"]
[[sensor]]
alias = "a"
type = "i2c"
driver = "registers"
bus = "1"
address = 0x40
setup = [[1, 2], [3]]
[[sensor.registers]]
name = "t"
width = 2
scale = 1e-3
[[sensor]]
alias = "b"
type = "push"
channels = { "a b" = "co2 \"x\"", c = "lux $${HOME}" }
[[sink]]
type = "file"
path = "out.jsonl"
[api]
listen = []
`)
	c, err := LoadConfig(main, "")
	require.NoError(t, err)
	require.NoError(t, c.Check())
	var shown, again bytes.Buffer
	require.NoError(t, c.WriteTOML(&shown))
	back, err := LoadConfig(writeFile(t, t.TempDir(), "shown.toml", shown.String()), "")
	require.NoError(t, err, shown.String())
	require.NoError(t, back.WriteTOML(&again))
	require.Equal(t, shown.String(), again.String())
	require.Equal(t, c.Sensors[1].Channels, back.Sensors[1].Channels)
	require.Equal(t, c.Sensors[0].Registers, back.Sensors[0].Registers)
	require.Equal(t, c.Sensors[0].WithDefaults(), back.Sensors[0])
	require.Equal(t, c.Features.WithDefaults(), back.Features)
	require.Empty(t, back.API.Listen)
}

func TestShowHidesTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("RAGEDGE_TEST_TOKEN", "hunter2")
	t.Setenv("RAGEDGE_TEST_MODELS", "/hunter2")
	main := writeFile(t, dir, "c.toml", `
[agent]
model_directory = "${RAGEDGE_TEST_MODELS}/m"
[[sensor]]
alias = "a"
type = "exec"
command = ["/usr/bin/poll", "--token", "${RAGEDGE_TEST_TOKEN}"]
channels = { x = "x" }
`)
	writeFile(t, dir, "c.d/1.toml", `
[[sensor]]
alias = "b"
type = "exec"
command = ["/usr/bin/poll", "${RAGEDGE_TEST_TOKEN}", "plain"]
channels = { x = "y" }
`)
	c, err := LoadConfig(main, DropIns(main))
	require.NoError(t, err)
	require.Equal(t, "hunter2", c.Sensors[1].Command[1])
	var shown bytes.Buffer
	require.NoError(t, c.WriteTOML(&shown))
	require.NotContains(t, shown.String(), "hunter2")
	require.Contains(t, shown.String(), `command = ["/usr/bin/poll", "--token", "${RAGEDGE_TEST_TOKEN}"]`)
	require.Contains(t, shown.String(), `command = ["/usr/bin/poll", "${RAGEDGE_TEST_TOKEN}", "plain"]`)
	require.Contains(t, shown.String(), `model_directory = "${RAGEDGE_TEST_MODELS}/m"`)

	// A later file that says it outright is shown as it is.
	writeFile(t, dir, "c.d/2.toml", "[agent]\nmodel_directory = \"/srv\"\n")
	c, err = LoadConfig(main, DropIns(main))
	require.NoError(t, err)
	shown.Reset()
	require.NoError(t, c.WriteTOML(&shown))
	require.Contains(t, shown.String(), `model_directory = "/srv"`)
}
