package daemon

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// fileBus is an I2C bus that is an open file, as real ones are.
type fileBus struct{ *os.File }

func (b fileBus) Tx(_ uint16, _, r []byte) error {
	_, err := b.ReadAt(r, 0)
	return err
}

const fewDescriptors = 48

// starving runs a daemon in dir that may have few files open, until SIGTERM. On
// SIGUSR1 it takes every descriptor that is left, on SIGUSR2 it gives them back.
func starving(t *testing.T, dir string) {
	few := syscall.Rlimit{Cur: fewDescriptors, Max: fewDescriptors}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)

	light := lightSensor()
	light.Interval = encoder.Duration(200 * time.Millisecond)
	heat := sensor.Config{Alias: "heat", Type: sensor.HWMon, Driver: "cpu", Channels: map[string]string{"temp1": "heat"}}
	heat.Interval = light.Interval
	c := quiet(light, airSensor(), heat)
	c.API.Listen = []string{"unix:" + filepath.Join(dir, "api.sock")}
	c.Sinks = []sink.Config{{Type: sink.File, Path: filepath.Join(dir, "out.jsonl"), Queue: 1000}}
	c.Record = recordTo(filepath.Join(dir, "recordings"))
	d, err := New(c, Environment{
		Model: tinyModel(t, quickFeatures), Notify: &notes{},
		Hardware: sensor.Hardware{
			I2C: func(string) (sensor.Bus, error) {
				f, err := os.Open(filepath.Join(dir, "bus"))
				return fileBus{f}, err
			},
			Sysfs: os.DirFS(filepath.Join(dir, "sys")),
		},
	})
	require.NoError(t, err)
	stop := run(t, d)
	var taken []*os.File
	for s := range signals {
		switch s {
		case syscall.SIGUSR1:
			for {
				f, err := os.Open(os.DevNull)
				if err != nil {
					require.ErrorIs(t, err, syscall.EMFILE)
					break
				}
				taken = append(taken, f)
			}
		case syscall.SIGUSR2:
			for _, f := range taken {
				require.NoError(t, f.Close())
			}
		default:
			require.NoError(t, stop())
			return
		}
	}
}

// quickFeatures are twoFeatures ten times a second.
var quickFeatures = strings.ReplaceAll(twoFeatures, `"10s"`, `"100ms"`)

const starvingVariable = "RAGEDGE_TEST_STARVING"

// TestRow57DescriptorsRunOut: clients cannot take so many file descriptors that a
// sensor goes without; when there is none left all the same, whatever has its files
// open goes on, the API tries again at growing distances, and all is well as soon as
// there are some.
func TestRow57DescriptorsRunOut(t *testing.T) {
	if dir := os.Getenv(starvingVariable); dir != "" {
		starving(t, dir)
		return
	}
	dir := t.TempDir()
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	put("bus", "\x02\x58")
	put("sys/class/hwmon/hwmon0/name", "cpu\n")
	put("sys/class/hwmon/hwmon0/temp1_input", "40000\n")
	child := exec.Command(os.Args[0], "-test.run=^TestRow57DescriptorsRunOut$")
	child.Env = append(os.Environ(), starvingVariable+"="+dir)
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	if err := child.Start(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip("under emulation, a program cannot start itself")
	} else {
		require.NoError(t, err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = child.Process.Kill()
			_ = child.Wait()
			t.Log(said.String())
		}
	})

	socket := filepath.Join(dir, "api.sock")
	client := over(socket)
	defer client.CloseIdleConnections()
	var now api.Status
	until := func(ok func() bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			reply, err := client.Get("http://ragedge/v1/status")
			if err != nil {
				return false
			}
			defer reply.Body.Close()
			now = api.Status{}
			return json.NewDecoder(reply.Body).Decode(&now) == nil && ok()
		}, time.Minute, 20*time.Millisecond, "%+v", &now)
	}
	counter := func(name string) int {
		code, text := ask(t, client, "GET", "/metrics", "")
		require.Equal(t, http.StatusOK, code)
		value := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindStringSubmatch(text)
		require.NotNil(t, value, name)
		n, err := strconv.Atoi(value[1])
		require.NoError(t, err)
		return n
	}
	// more waits for readings, decisions and everything that becomes of them.
	more := func() {
		t.Helper()
		until(func() bool { return now.Answered > 0 })
		before := now
		until(func() bool {
			return now.Sensors[0].Reads > before.Sensors[0].Reads+5 && now.Decisions > before.Decisions+10 &&
				now.Sinks[0].Written > before.Sinks[0].Written+10 && now.Record.Records > before.Record.Records+10
		})
		require.Zero(t, now.Sensors[0].Errors)
		require.Zero(t, now.Sinks[0].Errors+now.Sinks[0].Dropped+now.Record.Errors+now.Record.Dropped)
	}
	more()

	var greedy []net.Conn
	for range 10 * fewDescriptors {
		c, err := net.Dial("unix", socket)
		require.NoError(t, err)
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nX: ") // may have had to give way
		greedy = append(greedy, c)
	}
	more()
	require.Equal(t, api.StateUp, now.Sensors[2].State, now.Sensors[2].Reason)
	require.Zero(t, now.Sensors[2].Errors, "who opens a file for each reading can do so")
	require.LessOrEqual(t, counter("ragedge_api_connections"), fewDescriptors/2)
	require.Zero(t, counter("ragedge_api_accept_errors_total"))
	for _, c := range greedy {
		c.Close()
	}
	until(func() bool { return counter("ragedge_api_connections") == 1 })

	require.NoError(t, child.Process.Signal(syscall.SIGUSR1))
	until(func() bool { return now.Sensors[2].State == api.StateDown })
	require.Contains(t, now.Sensors[2].Reason, "too many open files")
	begun := time.Now()
	waiting, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer waiting.Close()
	_, err = io.WriteString(waiting, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	until(func() bool { return counter("ragedge_api_accept_errors_total") > 5 })
	more()
	tries := counter("ragedge_api_accept_errors_total")
	require.LessOrEqual(t, tries, int(time.Since(begun).Seconds())+10, "no more than once a second after some")

	require.NoError(t, child.Process.Signal(syscall.SIGUSR2))
	require.NoError(t, waiting.SetReadDeadline(time.Now().Add(time.Minute)))
	reply, err := http.ReadResponse(bufio.NewReader(waiting), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply.StatusCode)
	until(func() bool { return now.Sensors[2].State == api.StateUp })
	more()

	client.CloseIdleConnections()
	require.NoError(t, child.Process.Signal(syscall.SIGTERM))
	ended = true
	require.NoError(t, child.Wait(), "%s", &said)
	lines := readResults(t, filepath.Join(dir, "out.jsonl"))
	for i, r := range lines {
		require.EqualValues(t, i+1, r.Seq)
	}
	recorded := replayTape(t, filepath.Join(dir, "recordings", "*.mcap"), tinyModel(t, quickFeatures))
	require.Equal(t, len(lines), recorded.len())
}

// readResults reads what sink file wrote.
func readResults(t *testing.T, path string) (all []result.Result) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var r result.Result
		require.NoError(t, json.Unmarshal(line, &r), "%s", line)
		all = append(all, r)
	}
	return all
}
