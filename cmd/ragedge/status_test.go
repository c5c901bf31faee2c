package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

// addSensor gives a site a program as a sensor, which fails once file is gone.
func (s *site) addSensor(t *testing.T) (file string) {
	file = s.put(t, "alive", nil)
	text := string(s.read(t, "ragedge.toml")) + `
[[sensor]]
alias = "lamp"
type = "exec"
command = ["/bin/sh", "-c", "while test -e ` + file + `; do echo '{\"a\":1}'; sleep 0.05; done; echo cable out >&2; exit 3"]
channels = { a = "lamp.a" }
[[sink]]
type = "file"
path = "out.jsonl"
`
	s.put(t, "ragedge.toml", []byte(text))
	return file
}

func TestStatus(t *testing.T) {
	s := newSite(t)
	file := s.addSensor(t)
	code, stdout, _ := try(t, "status", "--config", s.config)
	require.Equal(t, statusDown, code)
	require.Equal(t, "down\n  no daemon answers at "+s.client.socket+": there is no such socket; start the daemon\n", stdout)
	code, stdout, _ = try(t, "status", "--json", "--config", s.config)
	require.Equal(t, statusDown, code)
	require.JSONEq(t, `{"state":"down","reason":"no daemon answers at `+s.client.socket+`: there is no such socket; start the daemon"}`, stdout)

	s.run(t)
	s.wait(t, func(now *api.Status) bool { return now.State == api.StateUp && now.Sensors[0].Reads > 0 })
	code, stdout, stderr := try(t, "status", "--config", s.config)
	require.Zero(t, code, stdout+stderr)
	for _, line := range []string{
		`^up  ragedge \S+, up \d`,
		`^model room [0-9a-f]{12}, kernels \w+, time \w+$`,
		`^\d+ decisions, \d+ answered, \d+ missed$`,
		`^answer  .*\S  \d+%, \d\.\ds ago$`,
		`^  light    #####\s+100%, \d`,
		`^  co2      ·····  absent: no data yet$`,
		`^lamp +exec +up +\d\.\ds +\d+ +0$`,
		`^file +up +\d+ +\d+ +0 +0$`,
		`^configuration in force for \d.*, 0 reloads, 0 failed$`,
		`^memory \d+\.\d MiB$`,
	} {
		require.Regexp(t, "(?m)"+line, stdout)
	}

	require.NoError(t, os.Remove(file))
	s.wait(t, func(now *api.Status) bool { return now.Sensors[0].State != api.StateUp })
	code, stdout, _ = try(t, "status", "--config", s.config)
	require.Equal(t, statusDegraded, code, stdout)
	require.Regexp(t, `(?m)^lamp +exec +(degraded|down) `, stdout)
	require.Regexp(t, `(?m)^  the program ended: exit status 3`, stdout)

	code, stdout, _ = try(t, "status", "--json", "--config", s.config)
	require.Equal(t, statusDegraded, code)
	var both struct {
		api.Status
		Result struct {
			Label      *string
			Modalities map[string]struct{ Share float64 }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &both))
	require.Equal(t, "lamp", both.Sensors[0].Alias)
	require.Equal(t, 1.0, both.Result.Modalities["light"].Share)
	require.NotNil(t, both.Result.Label)
}

func TestStatusUnknown(t *testing.T) {
	code, _, stderr := try(t, "status", "--config", "/nowhere/ragedge.toml")
	require.Equal(t, statusUnknown, code)
	require.Contains(t, stderr, "/nowhere/ragedge.toml")
	code, _, _ = try(t, "status", "--interval", "1ms")
	require.Equal(t, exitUsage, code)
}

// serve answers at the socket of a client.
func serve(t *testing.T, h http.HandlerFunc) *apiClient {
	socket := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return &apiClient{socket}
}

// What a newer daemon says and this build does not know stays in the JSON, and does
// not keep the rest from being shown.
func TestStatusOfAnotherVersion(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/result" {
			http.Error(w, `{"error":"there is no Result yet"}`, http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte(`{"state":"starting","reason":"sensors","new":[1],"degraded":["sensors","disk"],"sensors":[{"alias":"a","state":"resting"}]}` + "\n"))
	})
	r := ask(t.Context(), client)
	require.NoError(t, r.silent)
	require.Equal(t, verdict(statusDegraded), r.verdict())
	var out strings.Builder
	require.NoError(t, r.writeJSON(&out))
	require.JSONEq(t, `{"state":"starting","reason":"sensors","new":[1],"degraded":["sensors","disk"],"sensors":[{"alias":"a","state":"resting"}]}`, out.String())
	text := strings.Join(newPanel(&out).lines(r), "\n")
	require.Contains(t, text, "starting  ragedge")
	require.Contains(t, text, "\n  sensors\n  disk\n")
	require.Contains(t, text, "resting")
	require.Contains(t, text, "answer  none yet")
}

// Every way in which no daemon answers says which it is.
func TestStatusSilence(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hung := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel() // it has come; a time limit could end before
		<-r.Context().Done()
	})
	r := ask(ctx, hung)
	require.Contains(t, r.Reason, "does not answer")
	require.Equal(t, verdict(statusDown), r.verdict())

	stale := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", stale)
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.Contains(t, ask(t.Context(), &apiClient{stale}).Reason, "nothing listens on the socket")

	if os.Geteuid() == 0 {
		t.Skip("root may use every socket")
	}
	require.NoError(t, os.Chmod(stale, 0))
	r = ask(t.Context(), &apiClient{stale})
	require.Contains(t, r.Reason, "join the group of "+stale)
	require.True(t, errors.Is(r.silent, syscall.EACCES))
}

// full is a condition in which everything is said.
func full() *condition {
	age, connected, label, light := 0.4, false, "2 people", 1234.5
	return &condition{
		Status: api.Status{
			Version: "1.2.3", State: api.StateDegraded, Reason: "sensor desk-light: remote I/O error; nothing answers: check power, cable and address",
			UptimeS: 93784, Model: &api.ModelStatus{Name: "room", Digest: "sha256:0123456789abcdef"}, KernelSet: "neon", TimeQuality: "ntp",
			Decisions: 3126, Answered: 3120, Missed: 1, Skipped: 5, LastResultAgeS: &age,
			Sensors: []api.SensorStatus{
				{Alias: "desk-light", Type: "i2c", State: api.StateWedged, Reason: "sensor desk-light: I2C bus 1 is wedged", Reads: 12, Errors: 3},
				{Alias: strings.Repeat("long-", 12) + "name", Type: "camera", State: api.StateUp, Reads: 123456789, LastSuccessAgeS: &age},
			},
			Sinks:    []api.SinkStatus{{Type: "mqtt", Waiting: 7, Connected: &connected, LastError: "connection refused"}},
			Late:     []string{"decide"},
			RSSBytes: 9 << 20, Power: &api.PowerStatus{Degraded: []string{"undervoltage"}, SinceBoot: []string{"throttled"}, SteppedDown: true, TemperatureC: 71.4},
			Record: &api.RecordStatus{Active: true, Records: 99, Bytes: 5 << 20, Segments: 2, LastError: "no space left on device", OverBudget: true},
			Config: api.ConfigStatus{Reloads: 2, Failed: 1, LastError: "ragedge.toml: 6:1: bad", AgeS: 7200},
		},
		Result: &decision{
			Label: &label, RawLabel: "3 people", Probabilities: map[string]float64{"2 people": 0.93}, Conflict: []string{"sound"},
			Modalities: ordered[modality]{{"light", modality{Share: 0.48, Present: true, Age: &age}}, {"sound\x1b[2J", modality{Reason: "sensor mic: gone"}}},
			Readings:   ordered[value]{{"light1", value{Value: &light}}, {"sound", value{Reason: "no value yet"}}},
		},
	}
}

func TestPanel(t *testing.T) {
	for _, width := range []int{0, 60, 40} {
		for _, color := range []bool{false, true} {
			p := &panel{view{color: color}, width}
			text := strings.Join(p.lines(full()), "\n")
			require.NotContains(t, text, "\x1b[2J", "texts of others move nothing")
			require.Equal(t, color, strings.Contains(text, "\x1b["))
			for line := range strings.Lines(text) {
				plain := visible(strings.TrimSuffix(line, "\n"))
				require.True(t, width == 0 || utf8.RuneCountInString(plain) <= width, "%d: %q", width, plain)
			}
			if width == 0 && !color {
				for _, says := range []string{"up 1d02h", "93%", "maybe soon 3 people", "in conflict with the others: sound", "wedged", "no space left", "write budget",
					"the last reload failed", "undervoltage now; since boot: throttled; every second decision is skipped; 71 °C", "late: decide", "5 skipped", "connection refused", "light1  1234.5", "sound  no value yet"} {
					require.Contains(t, text, says)
				}
			}
		}
	}
}

// visible takes the colours out of a line.
func visible(line string) string {
	for {
		before, rest, ok := strings.Cut(line, "\x1b[")
		if !ok {
			return line
		}
		_, rest, _ = strings.Cut(rest, "m")
		line = before + rest
	}
}

func TestFitAndWrap(t *testing.T) {
	require.Equal(t, "abc", fit("abc", 3))
	require.Equal(t, "ab…", fit("abcd", 3))
	require.Equal(t, "é…", fit("éèê", 2))
	require.Equal(t, "\x1b[31ma…\x1b[0m", fit("\x1b[31mabc\x1b[0m", 2))
	require.Equal(t, "\x1b[31mab\x1b[0m", fit("\x1b[31mab\x1b[0m", 2))
	require.Equal(t, "abc", fit("abc", 0))
	require.Equal(t, []string{"  a bb", "  ccc"}, wrap("a bb ccc", 8, "  "))
	require.Equal(t, []string{"  a bb ccc"}, wrap("a bb ccc", 0, "  "))
	require.Equal(t, []string{"abc…"}, wrap("abcdefgh", 4, ""))
	require.Empty(t, wrap("", 10, ""))
	for seconds, want := range map[float64]string{-1: "0.0s", 0.25: "0.2s", 59: "59s", 61: "1m01s", 3700: "1h01m", 90000: "1d01h"} {
		require.Equal(t, want, span(seconds))
	}
}

func TestOrdered(t *testing.T) {
	var o ordered[value]
	require.NoError(t, json.Unmarshal([]byte(`{"b":{"value":2},"a":{"reason":"x"}}`), &o))
	require.Equal(t, "b", o[0].name)
	require.Equal(t, 2.0, *o[0].is.Value)
	require.Equal(t, "x", o[1].is.Reason)
	require.NoError(t, json.Unmarshal([]byte(`null`), &o))
	require.Error(t, json.Unmarshal([]byte(`{"a":3}`), &o))
}
