package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait for a process.
const patience = 2 * time.Minute

// lasting are the commands that a reader ends with Ctrl-C, by their beginnings, and what
// they show before.
var lasting = map[string]string{
	"go run ./cmd/ragedge demo":         "13:31",
	"ragedge demo":                      "13:31",
	"ragedge run --config collect.toml": `"readings"`,
	"ragedge run --config ragedge.toml": `"readings"`,
	"ragedge status --watch":            "answer",
}

// exits are the exit codes of commands that may end with others than 0, by their
// beginnings: as docs/doctor.md says, because Ctrl-C breaks them off, and because a model
// that goes on learning from a minute of one label need not become better.
var exits = map[string][]int{
	"ragedge status":             {statusOK, statusDegraded},
	"ragedge doctor":             {exitOK, exitFailed},
	"go run ./cmd/ragedge demo":  {exitOK, exitInterrupted},
	"ragedge demo":               {exitOK, exitInterrupted},
	"ragedge train ragedge.toml": {exitOK, exitFailed},
}

// beginning returns what a table has for a command, and notes that it was used.
func beginning[V any](table map[string]V, text string, used map[string]bool) (value V) {
	for b, v := range table {
		if strings.HasPrefix(text, b) {
			used[b], value = true, v
		}
	}
	return value
}

// TestEveryCommandRuns does what readers of the pages do, page by page and in the order
// of each, on a board in a sandbox. What is in notHere must fail.
func TestEveryCommandRuns(t *testing.T) {
	s := newSandbox(t)
	s.record(t)
	s.boot(t)
	used := map[string]bool{}
	all := typedIn(t)
	for _, page := range slices.Sorted(maps.Keys(all)) {
		t.Run(strings.TrimPrefix(page, "../../"), func(t *testing.T) {
			r := s.reader(t, page)
			acted := map[string]bool{}
			for _, c := range all[page] {
				c.text = comment.ReplaceAllString(c.text, "")
				if find(c) != nil {
					require.Error(t, s.command(t, t.Context(), r.dir, c.text).Run(),
						"%s:%d: %s: it runs here: take it out of notHere", page, c.line, c.text)
					continue
				}
				if act := beginning(r.before, c.text, acted); act != nil {
					act()
				}
				s.types(t, r.dir, c, used)
			}
			require.Len(t, acted, len(r.before), "a reader does something before a command that the page has no more")
		})
	}
	if !t.Failed() {
		for b := range maps.Keys(lasting) {
			require.True(t, used[b], "no page has %q any more", b)
		}
		for b := range maps.Keys(exits) {
			require.True(t, used[b], "no page has %q any more", b)
		}
	}
}

// types runs a command to its end, or to Ctrl-C.
func (s *sandbox) types(t *testing.T, dir string, c typed, used map[string]bool) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	codes := beginning(exits, c.text, used)
	if codes == nil {
		codes = []int{exitOK}
	}
	begun := time.Now()
	code, out := exitTryAgain, ""
	for code == exitTryAgain && ctx.Err() == nil { // a sensor may need more time than a tick
		if shows := beginning(lasting, c.text, used); shows != "" && !strings.HasSuffix(c.text, " --test") {
			code, out = s.watches(t, ctx, dir, c, shows)
		} else {
			code, out = s.runs(t, ctx, dir, c)
		}
	}
	require.Contains(t, codes, code, "%s:%d: %s: %s", c.page, c.line, c.text, out)
	t.Logf("%4d ms  %s", time.Since(begun).Milliseconds(), c.text)
}

// runs runs a command to its end. A token that it prints is the reader's from then on.
func (s *sandbox) runs(t *testing.T, ctx context.Context, dir string, c typed) (code int, out string) {
	command := s.command(t, ctx, dir, c.text)
	var all lockedBuffer
	var printed bytes.Buffer
	command.Stdout, command.Stderr = io.MultiWriter(&all, &printed), &all
	if err := command.Run(); err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError), "%s:%d: %s", c.page, c.line, c.text)
	}
	if strings.HasPrefix(c.text, "ragedge token ") {
		s.token = strings.TrimSpace(printed.String())
	}
	return command.ProcessState.ExitCode(), all.String()
}

// watches runs a command until it shows something, and ends it as Ctrl-C does.
func (s *sandbox) watches(t *testing.T, ctx context.Context, dir string, c typed, shows string) (code int, out string) {
	command := s.command(t, ctx, dir, "exec "+c.text)
	var all lockedBuffer
	command.Stdout, command.Stderr = &all, &all
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	require.Eventually(t, func() bool { return strings.Contains(all.String(), shows) || len(ended) > 0 }, patience, 10*time.Millisecond)
	_ = command.Process.Signal(os.Interrupt) // it may have ended
	<-ended
	require.Contains(t, all.String(), shows, "%s:%d: %s", c.page, c.line, c.text)
	return command.ProcessState.ExitCode(), all.String()
}
