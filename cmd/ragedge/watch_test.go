package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedBuffer may be read while it is written to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the site's daemon until stop.
func (s *site) start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var log lockedBuffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"run", "--config", s.config}, &log, &log) }()
	s.wait(t, func(*api.Status) bool { return true })
	return sync.OnceFunc(func() {
		cancel()
		require.Zero(t, <-ended, "%s", &log)
	})
}

// Without a terminal, a block comes after the other; a daemon that restarts is
// waited for; the end is no failure.
func TestWatchPlain(t *testing.T) {
	s := newSite(t)
	stop := s.start(t)
	defer func() { stop() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lockedBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"status", "--watch", "--interval", "100ms", "--config", s.config}, &out, &out)
	}()
	sees := func(count int, text string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Count(out.String(), text) >= count }, 20*time.Second, 10*time.Millisecond, "%s", &out)
	}
	sees(2, "\nmodel room ")
	stop()
	sees(2, "asking again every 100ms; it last answered ")
	before := strings.Count(out.String(), "\nmodel room ")
	stop = s.start(t)
	sees(before+2, "\nmodel room ")
	cancel()
	require.Zero(t, <-ended)
	require.NotContains(t, out.String(), "\x1b")
}

func TestWatchJSON(t *testing.T) {
	s := newSite(t)
	s.run(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lockedBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"status", "--watch", "--json", "--interval", "100ms", "--config", s.config}, &out, &out)
	}()
	require.Eventually(t, func() bool { return strings.Count(out.String(), "\n{\"version\"") >= 2 }, 20*time.Second, 10*time.Millisecond)
	cancel()
	require.Zero(t, <-ended)
}

// The stream tells changes of the answer, and only those.
func TestWatchChanges(t *testing.T) {
	w := newWatcher(nil, &bytes.Buffer{}, time.Second)
	hear := func(label string) {
		w.hear(fmt.Appendf(nil, `{"time":"2026-05-01T10:00:00Z","label":%q,"probabilities":{%q:0.75}}`, label, label))
	}
	for _, label := range []string{"empty", "empty", "1 person", "empty", "2 people", "2 people"} {
		hear(label)
	}
	w.hear([]byte(`{"readings":{"a":{"value":1}}}`))
	w.hear([]byte(`not JSON`))
	require.Len(t, w.changes, changesKept)
	require.Contains(t, w.changes[0], "1 person  75%")
	require.Contains(t, w.changes[2], "2 people  75%")
	require.Len(t, w.changed, 1)
}

// terminalSession is tmux with a shell in it.
type terminalSession struct{ socket string }

func (s terminalSession) tmux(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// sees waits until the screen matches all of the patterns.
func (s terminalSession) sees(t *testing.T, patterns ...string) (screen string) {
	t.Helper()
	for _, pattern := range patterns {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			screen = s.tmux(t, "capture-pane", "-p")
			require.Regexp(c, "(?m)"+pattern, screen)
		}, 20*time.Second, 50*time.Millisecond)
	}
	return screen
}

// TestWatchTerminal watches a daemon in a real terminal while a sensor fails, the
// window changes and the daemon restarts.
func TestWatchTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the command")
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tmux is missing: apt-get install tmux")
		}
		t.Skip("tmux is missing: apt-get install tmux")
	}
	s := newSite(t)
	file := s.addSensor(t)
	wide := "\n[[sensor]]\nalias = \"" + strings.Repeat("long-", 9) + "name\"\ntype = \"push\"\nchannels = { x = \"x\" }\n"
	s.put(t, "ragedge.toml", append(s.read(t, "ragedge.toml"), wide...))
	binary := filepath.Join(s.dir, "ragedge")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	stop := s.start(t)
	defer func() { stop() }()
	term := terminalSession{filepath.Join(s.dir, "tmux")}
	term.tmux(t, "-f", "/dev/null", "new-session", "-d", "-x", "60", "-y", "40", "env -u NO_COLOR PS1='ready> ' sh")
	defer exec.Command("tmux", "-S", term.socket, "kill-server").Run()
	term.sees(t, `^ready>$`)
	term.tmux(t, "send-keys", "echo was here", "Enter")
	term.sees(t, `^was here`, `^ready>$`)
	term.tmux(t, "send-keys", binary+" status --watch --interval 200ms --config "+s.config, "Enter")

	screen := term.sees(t, `^lamp +exec +up`, `^answer  none`, `^SENSOR .* ERRORS$`, `^long-.*…  push  .* 0$`)
	require.True(t, strings.HasPrefix(screen, "down  ragedge "), "drawn over: %s", screen)
	require.NotContains(t, screen, "was here")
	require.Contains(t, term.tmux(t, "capture-pane", "-p", "-e"), "\x1b[", "colours")
	require.Equal(t, "0", strings.TrimSpace(term.tmux(t, "display-message", "-p", "#{cursor_flag}")), "the cursor is hidden")

	require.NoError(t, os.Remove(file))
	term.sees(t, `^lamp +exec +(degraded|down)`, `^  the program ended: exit status 3`)
	stop()
	term.sees(t, `^down\n  no daemon answers at`, `asking\s+again\s+every\s+200ms`)
	s.put(t, "alive", nil)
	stop = s.start(t)
	term.sees(t, `^lamp +exec +up`)

	// The screen is as it was, and the cursor is back.
	term.tmux(t, "send-keys", "C-c")
	screen = term.sees(t, `^ready>$`)
	require.Regexp(t, `^ready> echo was here\nwas here\nready> /[^>]*ragedge\.toml\nready>\n*$`, screen)
	require.NotContains(t, screen, "lamp")
	require.Equal(t, "1", strings.TrimSpace(term.tmux(t, "display-message", "-p", "#{cursor_flag}")))
	term.tmux(t, "send-keys", "echo code $?", "Enter")
	term.sees(t, `^code 0$`)

	// Without colours on request, in a window whose size changes.
	term.tmux(t, "send-keys", "NO_COLOR=1 "+binary+" status --watch --config "+s.config, "Enter")
	term.sees(t, `^lamp +exec +up`)
	require.NotContains(t, term.tmux(t, "capture-pane", "-p", "-e"), "\x1b[3")
	term.tmux(t, "resize-window", "-x", "100", "-y", "12")
	term.sees(t, `^… \d+ more lines: make the window higher$`)
	term.tmux(t, "resize-window", "-x", "100", "-y", "40")
	term.sees(t, `^memory `)
	term.tmux(t, "send-keys", "C-c")
	term.sees(t, `^ready>$`)
}
