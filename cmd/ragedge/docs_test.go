package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages are the texts for readers, by their path from here.
func pages(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../examples/*/*.md", "../../systemd/*.md", "../../tasks/*.md", "../../tasks/*/*.md", "../../bench/*/*.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all[file] = string(text)
		}
	}
	require.Greater(t, len(all), 15)
	return all
}

// ourCommand is a line of a code block that runs ragedge, up to a comment or what
// the shell does with its output.
var ourCommand = regexp.MustCompile(`(?m)^    (?:sudo |go run \./cmd/|\$ )*ragedge ([a-z][^#|>&\n]*)`)

// Every command of ours that a page shows is one that this build has, with those
// flags and as many arguments.
func TestPagesShowCommandsThatExist(t *testing.T) {
	found := 0
	for file, text := range pages(t) {
		for _, m := range ourCommand.FindAllStringSubmatch(strings.ReplaceAll(text, "\\\n", " "), -1) {
			c, rest, err := newRoot().Find(words(m[1]))
			require.NoError(t, err, "%s: ragedge %s", file, m[1])
			require.True(t, c.Runnable(), "%s: ragedge %s: a verb is missing", file, m[1])
			require.NoError(t, c.ParseFlags(rest), "%s: ragedge %s", file, m[1])
			require.NoError(t, c.ValidateArgs(c.Flags().Args()), "%s: ragedge %s", file, m[1])
			found++
		}
	}
	require.Greater(t, found, 30)
}

// words splits a line as a shell does, as far as the pages need.
func words(line string) (all []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(strings.TrimSpace(line), -1) {
		all = append(all, m[1]+m[2]+m[3])
	}
	return all
}

// Every file that a page links to exists.
func TestPagesLinkToFilesThatExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)
	for file, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(file), m[1]))
			require.NoError(t, err, "%s links to %s", file, m[1])
		}
	}
}

// Every path of the API that a page asks for with curl is served.
func TestPagesAskForPathsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../daemon/api/openapi.json")
	require.NoError(t, err)
	var document struct{ Paths map[string]any }
	require.NoError(t, json.Unmarshal(text, &document))
	asked := regexp.MustCompile(`https?://(?:ragedge|localhost|board\.local)(?::\d+)?(/[a-z0-9/]*)`)
	found := 0
	for file, text := range pages(t) {
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			require.Contains(t, document.Paths, m[1], file)
			found++
		}
	}
	require.GreaterOrEqual(t, found, 5)
}
