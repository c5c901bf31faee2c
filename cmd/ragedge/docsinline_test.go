package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	inline     = regexp.MustCompile("`([^`\n]+)`")
	ourInline  = regexp.MustCompile(`^(?:sudo |go run \./cmd/)*ragedge ([a-z].*)$`)
	makeInline = regexp.MustCompile(`^make ([a-z-]+)`)
	fileInline = regexp.MustCompile(`^(?:python3? )?(scripts/[a-z]+|(?:bench|tasks)/[a-z/]+\.py)(?: (.*))?$`)
	testInline = regexp.MustCompile(`go test .*-(run|bench) '?(\^?\w+)'? (\./?\S*)$`)
)

// Commands in the text itself: verbs and flags of ours, targets of make, scripts and
// their steps, and tests are there.
func TestPagesNameCommandsThatExist(t *testing.T) {
	makefile := string(mustRead(t, "../../Makefile"))
	steps := string(mustRead(t, "../../scripts/test"))
	found := map[string]int{}
	for page, text := range pages(t) {
		for _, m := range inline.FindAllStringSubmatch(text, -1) {
			command := m[1]
			if m := ourInline.FindStringSubmatch(command); m != nil {
				verb, rest, err := newRoot().Find(words(strings.TrimSuffix(m[1], "--help")))
				require.NoError(t, err, "%s: %s", page, command)
				require.True(t, verb.HasParent(), "%s: %s: no such verb", page, command)
				require.NoError(t, verb.ParseFlags(rest), "%s: %s", page, command)
				found["ragedge"]++
			}
			if m := makeInline.FindStringSubmatch(command); m != nil {
				require.True(t, strings.Contains(makefile, "\n"+m[1]+": ##"), "%s: %s", page, command)
				found["make"]++
			}
			if m := fileInline.FindStringSubmatch(command); m != nil {
				require.FileExists(t, filepath.Join("../..", m[1]), "%s: %s", page, command)
				if m[1] == "scripts/test" && m[2] != "" {
					require.True(t, strings.Contains(steps, "  "+m[2]+" "), "%s: %s", page, command)
				}
				found["scripts"]++
			}
			if m := testInline.FindStringSubmatch(command); m != nil {
				kind := map[string]string{"run": "Test", "bench": "Benchmark"}[m[1]]
				requireFunction(t, filepath.Join("../..", m[3]), `func `+kind+`\w*`+m[2], page+": "+command)
				found["go test"]++
			}
		}
	}
	for kind, least := range map[string]int{"ragedge": 50, "make": 10, "scripts": 5, "go test": 4} {
		require.GreaterOrEqual(t, found[kind], least, kind)
	}
}

// requireFunction wants one in the tests of a package.
func requireFunction(t *testing.T, folder, pattern, what string) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if regexp.MustCompile(pattern).Match(text) {
			return
		}
	}
	require.Fail(t, "no such test", what)
}
