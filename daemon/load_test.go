package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestParseConfigNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "[agent]\nmodle = \"x\"\n", "2:1: unknown key agent.modle (did you mean model?)"},
		{"unknown table", "[agnet]\nmodel = \"x\"\n", "1:2: unknown key agnet (did you mean agent?)"},
		{"unknown key of a sensor", "[[sensor]]\nalias = \"a\"\nadress = 1\n", "3:1: unknown key sensor.adress (did you mean address?)"},
		{"unknown key of a modality", "[features.modality.light]\nchanels = [\"a\"]\n", "2:1: unknown key features.modality.light.chanels (did you mean channels?)"},
		{"nothing close", "[api]\nqwertz = 1\n", "2:1: unknown key api.qwertz (known here: client_ca, listen, tls_cert, tls_key, token_file, users)"},
		{"two unknown keys", "a = 1\nb = 2\n", "2:1: unknown key b"},
		{"wrong type", "[agent]\nmodel = 7\n", "2:9: agent.model: "},
		{"bad duration", "[[sensor]]\ninterval = \"5 minutes\"\n", `2:12: sensor.interval: toml: "5 minutes" is no duration`},
		{"syntax", "[agent\n", "1:"},
		{"repeated key", "[agent]\nmodel = \"a\"\nmodel = \"b\"\n", "3:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := DefaultConfig()
			require.ErrorContains(t, parseConfig([]byte(c.text), &config), c.want)
		})
	}
}

func TestLoadConfigMerges(t *testing.T) {
	dir := t.TempDir()
	main := writeFile(t, dir, "etc/ragedge.toml", `
[agent]
model = "room.safetensors"
[[sensor]]
alias = "a"
type = "push"
channels = { x = "x" }
[[sink]]
type = "stdout"
`)
	writeFile(t, dir, "etc/d/20-more.toml", `
[agent]
model = "../models/other.safetensors"
[[sensor]]
alias = "b"
type = "replay"
file = "b.csv"
`)
	writeFile(t, dir, "etc/d/10-api.toml", "[api]\nlisten = [\"127.0.0.1:8080\"]\n")
	writeFile(t, dir, "etc/d/ignored.txt", "nonsense")

	c, err := LoadConfig(main, filepath.Join(dir, "etc/d"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "etc/models/other.safetensors"), c.ModelPath(), "a path is relative to its own file")
	require.Equal(t, []string{"127.0.0.1:8080"}, c.API.Listen, "a list is replaced")
	require.Len(t, c.Sensors, 2)
	require.Equal(t, "a", c.Sensors[0].Alias)
	require.Equal(t, filepath.Join(dir, "etc/d/b.csv"), c.Sensors[1].File)
	require.Len(t, c.Sinks, 1)
	require.Equal(t, TriggerTick, c.Agent.Trigger, "a key left out keeps its default")
}

func TestLoadConfigModelName(t *testing.T) {
	dir := t.TempDir()
	c, err := LoadConfig(writeFile(t, dir, "c.toml", "[agent]\nmodel = \"m.safetensors\"\n"), "")
	require.NoError(t, err)
	require.Equal(t, "/var/lib/ragedge/models/m.safetensors", c.ModelPath())
	c, err = LoadConfig(writeFile(t, dir, "c.toml", "[agent]\nmodel = \"m.safetensors\"\nmodel_directory = \"models\"\n"), "")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "models/m.safetensors"), c.ModelPath())
}

func TestLoadConfigFailures(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadConfig(filepath.Join(dir, "none.toml"), "")
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = LoadConfig(dir, "")
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "not a regular file")
	main := writeFile(t, dir, "c.toml", "")
	_, err = LoadConfig(main, filepath.Join(dir, "missing.d"))
	require.NoError(t, err, "a missing directory of drop-ins is an empty one")
	bad := writeFile(t, dir, "d/bad.toml", "[agent]\nmodels = 1\n")
	_, err = LoadConfig(main, filepath.Dir(bad))
	require.ErrorContains(t, err, bad+": 2:1: unknown key agent.models (did you mean model?)")
}

func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob("../examples/*.toml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		c, err := LoadConfig(file, "")
		require.NoError(t, err)
		require.NoError(t, c.Check(), file)
	}
}

func TestCheckNamesEveryKey(t *testing.T) {
	const sensor = "[[sensor]]\nalias = \"a\"\ntype = \"push\"\nchannels = { x = \"x\" }\n"
	const live = "[[sensor]]\nalias = \"b\"\ntype = \"i2c\"\ndriver = \"bh1750\"\nbus = \"1\"\n"
	const replay = "[[sensor]]\nalias = \"r\"\ntype = \"replay\"\nfile = \"x.csv\"\ntime = [\"t\"]\nformat = \"15:04\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"threads", "[agent]\nthreads = 0\n", `agent: threads: 0, want 1 to 64`},
		{"trigger", "[agent]\ntrigger = \"never\"\n", `agent: trigger: unknown value "never" (known: tick, push)`},
		{"alias twice", sensor + "[[sensor]]\nalias = \"a\"\ntype = \"push\"\nchannels = { y = \"y\" }\n", "sensor: 2 (a): alias a is used twice"},
		{"channel twice", sensor + "[[sensor]]\nalias = \"c\"\ntype = \"push\"\nchannels = { z = \"x\" }\n", "channel x comes from sensor a already"},
		{"chip twice", live + "[[sensor]]\nalias = \"c\"\ntype = \"i2c\"\ndriver = \"bh1750\"\nbus = \"1\"\naddress = 0x23\n", "2 (c): address 0x23 on bus 1 is sensor b's already"},
		{"replay beside live", live + replay, "replay sensor r beside live sensor b"},
		{"sensor", "[[sensor]]\nalias = \"A b\"\ntype = \"push\"\nchannels = { x = \"x\" }\n", "sensor: 1 (A b): alias"},
		{"sink", "[[sink]]\ntype = \"kafka\"\n", "sink 1: type"},
		{"api", "[api]\nlisten = [\"0.0.0.0:80\"]\n", "api: "},
		{"features", "[features]\ntick = \"0s\"\n[features.modality.light]\nencoder = \"window\"\n", "features: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := DefaultConfig()
			require.NoError(t, parseConfig([]byte(c.text), &config))
			err := config.Check()
			require.ErrorIs(t, err, ErrConfig)
			require.ErrorContains(t, err, c.want)
		})
	}
	good := DefaultConfig()
	require.NoError(t, parseConfig([]byte(sensor+live), &good))
	require.NoError(t, good.Check())
}

func FuzzParseConfig(f *testing.F) {
	for _, file := range []string{"../examples/ragedge.toml", "../examples/replay.toml"} {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("[[sensor]]\nchannels = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		config := DefaultConfig()
		if parseConfig(text, &config) == nil {
			_ = config.Check()
			_ = config.Warnings()
		}
	})
}

func TestEditDistance(t *testing.T) {
	require.Equal(t, 3, EditDistance("kitten", "sitting"))
	require.Equal(t, 4, EditDistance("", "trig"))
	require.Zero(t, EditDistance("tick", "tick"))
}
