package daemon

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConfigCorpus is the corpus "C config": files that people and machines get
// wrong, each refused with what is wrong, or taken for what it means.
func TestConfigCorpus(t *testing.T) {
	const light = "[[sensor]]\nalias = \"a\"\ntype = \"i2c\"\ndriver = \"bh1750\"\nbus = \"1\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"CRLF", "[agent]\r\nmodel = \"x\"\r\n", ""},
		{"NUL", "[agent]\nmodel = \"a\x00b\"\n", "2:"},
		{"no UTF-8", "[agent]\nmodel = \"\xff\"\n", "2:"},
		{"UTF-16", "\xff\xfe[\x00a\x00]\x00", "1:"},
		{"a table twice", "[agent]\n[agent]\n", "2:2: agent: "},
		{"a key twice", "[agent]\nthreads = 1\nthreads = 1\n", "3:1: "},
		{"no end of a string", "[agent]\nmodel = \"a\n", "2:"},
		{"an interval of 0", light + "interval = \"0s\"\n", ""}, // which is the default
		{"a negative interval", light + "interval = \"-1s\"\n", "interval: -1s"},
		{"a huge interval", light + "interval = \"2562047h\"\n", "interval: "},
		{"more than a duration holds", light + "interval = \"9999999999h\"\n", "is no duration"},
		{"a number for a duration", light + "interval = 5\n", "sensor[0].interval: 5 is no duration such as \"30s\""},
		{"a number in a modality", "[features.modality.m]\nstale_after = 90\n", "features.modality.m.stale_after: 90 is no duration"},
		{"a fraction in a modality", "[features.modality]\nm = { every = 0.5 }\n", "features.modality.m.every: "},
		{"port 65536", "[api]\nlisten = [\"127.0.0.1:65536\"]\n", "port between 0 and 65535"},
		{"everybody's address", "[api]\nlisten = [\"0.0.0.0:80\"]\n", "can be reached from other machines"},
		{"a password in a URL", "[[sink]]\ntype = \"mqtt\"\nurl = \"mqtt://u:hunter2@b\"\n", "use username and password_file"},
		{"a variable without an end", "[agent]\nmodel = \"${A\"\n", "begins no ${NAME}"},
		{"a variable in a number", "[agent]\nthreads = ${A}\n", "2:11: "},
		{"a bomb of tables", strings.Repeat("[", 5000), "1:"},
		{"a bomb of lists", "a = " + strings.Repeat("[", 200000), "1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := DefaultConfig()
			text, _, err := expand([]byte(c.text), lookup)
			if err == nil {
				err = parseConfig(text, &config)
			}
			if err == nil {
				err = config.Check()
			}
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	path := writeFile(t, t.TempDir(), "big.toml", strings.Repeat("#\n", maxConfig))
	_, err := LoadConfig(path, "")
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, path)
}
