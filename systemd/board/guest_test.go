// Package board tests the Debian package on an emulated board: what its
// maintainer scripts do, and what systemd and the daemon do for each other. The
// tests run as root on a board that scripts/board makes and throws away.
package board

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	unit       = "ragedge.service"
	socket     = "/run/ragedge/api.sock"
	configFile = "/etc/ragedge/ragedge.toml"
	state      = "/var/lib/ragedge"
	first      = "/board/ragedge.deb"
	later      = "/board/later.deb" // with another configuration file
	// patience bounds every wait; emulation is slow.
	patience = time.Minute
)

// onBoard skips the test on any machine but the emulated board: it installs,
// kills and purges.
func onBoard(t *testing.T) {
	if os.Getenv("RAGEDGE_BOARD") != "true" {
		t.Skip("runs on the emulated board only: make board")
	}
}

// figure notes a measurement for the table that scripts/board prints.
func figure(t *testing.T, name, format string, values ...any) {
	t.Helper()
	t.Logf("figure: %-44s %s", name, fmt.Sprintf(format, values...))
}

// try runs a command and returns what it printed, on both streams.
func try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command that must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := try(name, args...)
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return out
}

// property is what systemd says of the unit.
func property(t *testing.T, name string) string {
	t.Helper()
	return run(t, "systemctl", "show", unit, "--value", "--property="+name)
}

// pid is the daemon's, 0 when it does not run.
func pid(t *testing.T) int {
	t.Helper()
	id, err := strconv.Atoi(property(t, "MainPID"))
	require.NoError(t, err)
	return id
}

// awaitAnother waits until the daemon is ready as another process than old. Asking
// systemctl keeps the emulated CPU busy, so that begins when old is gone.
func awaitAnother(t *testing.T, old int) {
	t.Helper()
	require.Eventually(t, func() bool { return syscall.Kill(old, 0) != nil }, patience, 100*time.Millisecond)
	require.Eventually(t, func() bool {
		out, _ := try("systemctl", "show", unit, "--property=MainPID,ActiveState")
		is := strings.Fields(out)
		return slices.Contains(is, "ActiveState=active") &&
			!slices.Contains(is, "MainPID=0") && !slices.Contains(is, fmt.Sprintf("MainPID=%d", old))
	}, patience, 500*time.Millisecond)
}

// uptime is what the time stamps of the unit are compared with.
func uptime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("/proc/uptime")
	require.NoError(t, err)
	seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	require.NoError(t, err)
	return time.Duration(seconds * float64(time.Second))
}

// ready is how long the daemon took from its start to READY=1.
func ready(t *testing.T) time.Duration {
	t.Helper()
	return moment(t, "ActiveEnterTimestampMonotonic") - moment(t, "ExecMainStartTimestampMonotonic")
}

// moment is a time stamp of the unit, since the board was switched on.
func moment(t *testing.T, name string) time.Duration {
	t.Helper()
	µs, err := strconv.ParseInt(property(t, name), 10, 64)
	require.NoError(t, err)
	return time.Duration(µs) * time.Microsecond
}

// memory is a line of /proc/PID/status, in KiB.
func memory(t *testing.T, id int, name string) int {
	t.Helper()
	fields := strings.Fields(processStatus(t, id)[name])
	require.NotEmpty(t, fields, name)
	kb, err := strconv.Atoi(fields[0])
	require.NoError(t, err)
	return kb
}

// processStatus is /proc/PID/status.
func processStatus(t *testing.T, id int) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(id), "status"))
	require.NoError(t, err)
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		all[name] = strings.TrimSpace(value)
	}
	return all
}

// client talks to the daemon over its socket.
var client = &http.Client{
	Timeout: patience,
	Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}},
}

// get returns the body of an answer 200.
func get(path string) ([]byte, error) {
	answer, err := client.Get("http://ragedge" + path)
	return body(answer, err)
}

// post sends JSON and returns the body of an answer 2xx.
func post(path, text string) ([]byte, error) {
	answer, err := client.Post("http://ragedge"+path, "application/json", strings.NewReader(text))
	return body(answer, err)
}

func body(answer *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s: %s", answer.Status, &text)
	}
	return text.Bytes(), nil
}

// await asks path until what it answers satisfies ok.
func await[T any](t *testing.T, path string, ok func(T) bool) (last T) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var err error
		var answer T
		if text, err = get(path); err == nil && json.Unmarshal(text, &answer) == nil && ok(answer) {
			return answer
		}
	}
	require.FailNow(t, "not in time", "%s: %s", path, text)
	return last
}

// answer is the part of a Result that the tests look at.
type answer struct {
	Seq      int64   `json:"seq"`
	Label    *string `json:"label"`
	Readings map[string]struct {
		Value  *float64 `json:"value"`
		Reason string   `json:"reason"`
	} `json:"readings"`
}

// read says whether the readings of a Result have a value for a channel.
func (a answer) read(channel string) bool { return a.Readings[channel].Value != nil }

// about is the part of /v1/status that the tests look at.
type about struct {
	Sensors []struct{ Alias, State, Reason string } `json:"sensors"`
}

func (a about) state(alias string) string {
	for _, s := range a.Sensors {
		if s.Alias == alias {
			return s.State
		}
	}
	return ""
}
