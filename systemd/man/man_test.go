package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const rootText = `Fuses sensors.

Usage:
  ragedge [command]

Available Commands:
  help        Help about any command
  run         Run "the" daemon

Flags:
  -h, --help   help for ragedge

Use "ragedge [command] --help" for more.
`

const runText = `Runs it until SIGTERM.
.not a macro

    indented = 'as it is'

Usage:
  ragedge run [flags]

Examples:
  ragedge run --config F\n

Flags:
      --config FILE   the configuration
`

func TestCommandPages(t *testing.T) {
	ask := func(args ...string) (string, error) {
		switch strings.Join(args, " ") {
		case "--help":
			return rootText, nil
		case "run --help":
			return runText, nil
		}
		return "", errors.New("not asked before")
	}
	pages, err := commandPages(ask, "2026-11-27")
	require.NoError(t, err)
	require.Len(t, pages, 2)
	require.Contains(t, pages["ragedge.1"], ".TP\n.B ragedge\\-run(1)\nRun \\(dqthe\\(dq daemon\n")
	require.NotContains(t, pages["ragedge.1"], "Help about any command")
	require.NotContains(t, pages["ragedge.1"], "for more")
	run := pages["ragedge-run.1"]
	require.Contains(t, run, ".TH RAGEDGE-RUN 1 2026-11-27 ")
	require.Contains(t, run, "\n\\&.not a macro\n")
	require.Contains(t, run, ".nf\n    indented = \\(aqas it is\\(aq\n.fi\n")
	require.Contains(t, run, "ragedge run \\-\\-config F\\en\n")
	require.Contains(t, run, "      \\-\\-config FILE   the configuration\n")
}

func TestParseWantsAUsage(t *testing.T) {
	_, err := parse("ragedge run", "", "nothing of the kind")
	require.EqualError(t, err, "the help of ragedge run has no usage")
}

func TestConfigPage(t *testing.T) {
	page, err := configPage("# A header\n# of two lines.\n\n# The model.\n#[agent]\n# A file.\n#model = \"\"\n", "2026-11-27")
	require.NoError(t, err)
	require.Contains(t, page, ".SH \"[agent]\"\nThe model.\n.TP\n.B model = \\(dq\\(dq\nA file.\n")
	require.NotContains(t, page, "A header")
	for _, text := range []string{"", "#[agent]\n", "# The model.\n#[agent]\n#model = 1\n", "# The model.\n#[agent]\n"} {
		_, err := configPage(text, "2026-11-27")
		require.Error(t, err, text)
	}
}

// TestPagesOfTheProduct writes the pages of the real binary and has man read them.
func TestPagesOfTheProduct(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1795780757")
	dir := t.TempDir()
	binary := filepath.Join(dir, "ragedge")
	out, err := exec.Command("go", "build", "-o", binary, "../../cmd/ragedge").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, writeAll(binary, dir))
	entries, err := filepath.Glob(filepath.Join(dir, "*.[15]"))
	require.NoError(t, err)
	require.Greater(t, len(entries), 10)
	man, err := exec.LookPath("man")
	for _, page := range entries {
		text, readErr := os.ReadFile(page)
		require.NoError(t, readErr)
		require.Contains(t, string(text), " 2026-11-27 ")
		if err != nil {
			continue
		}
		cmd := exec.Command(man, "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANROFFSEQ=", "MANWIDTH=500")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		require.NoError(t, cmd.Run())
		require.Empty(t, stderr.String(), page)
	}
}
