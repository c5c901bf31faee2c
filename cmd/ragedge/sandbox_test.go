package main

import (
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

// sandbox is a board as a reader of the pages has it: a root directory of its own, in
// which the daemon runs, is pushed to and records.
type sandbox struct {
	*site
	ports   *strings.Replacer // of the pages, with free ones in their place
	token   string            // the last one that was made
	answers *lockedBuffer     // what the daemon says
}

// deployed is where the daemon has its model.
const deployed = "var/lib/ragedge/models/room.safetensors"

// boardConfig is that of the daemon.
const boardConfig = `[agent]
model = "room.safetensors"
model_directory = "/var/lib/ragedge/models"
trigger = "push"
[record]
when = "always"
directory = "/var/lib/ragedge/recordings"
durable = "record"
[api]
listen = ["unix:/run/ragedge/api.sock"]
`

func newSandbox(t *testing.T) *sandbox {
	s := &sandbox{site: &site{dir: t.TempDir()}, ports: freePorts(t)}
	s.config = filepath.Join(s.dir, standardConfig)
	for _, dir := range []string{"bin", "etc/ragedge/ragedge.d", "home", "run/ragedge", "sys/bus/i2c/drivers/bh1750",
		"usr/lib/udev/rules.d", "usr/share/doc/ragedge/examples", "var/lib/ragedge/models", "var/lib/ragedge/recordings"} {
		require.NoError(t, os.MkdirAll(filepath.Join(s.dir, dir), 0o755))
	}
	s.tools(t)
	s.put(t, deployed, mustRead(t, "room/room.safetensors"))
	s.put(t, standardConfig, []byte(s.inside(t, boardConfig)))
	s.put(t, "usr/share/doc/ragedge/examples/20-mqtt.conf", mustRead(t, "../../systemd/20-mqtt.conf"))
	var err error
	s.client, err = newAPIClient(api.Config{Listen: []string{"unix:" + s.dir + "/run/ragedge/api.sock"}})
	require.NoError(t, err)
	return s
}

// boardPath is the beginning of an absolute path on a command line or in TOML.
var boardPath = regexp.MustCompile(`(^|[\s'"=]|unix:)(/(?:etc|opt|run|sys|usr|var)/)`)

// openRecording is what a page calls the recording that is being written.
const openRecording = "20260501T120000Z-0002.mcap.open"

// inside gives what the pages name the names that it has in the sandbox: paths of the
// board, ports, the recording that is being written.
func (s *sandbox) inside(t *testing.T, text string) string {
	if strings.Contains(text, openRecording) {
		text = strings.ReplaceAll(text, openRecording, s.open(t))
	}
	return boardPath.ReplaceAllString(s.ports.Replace(text), "${1}"+s.dir+"${2}")
}

// open is the recording that is being written. After a reload it is another one.
func (s *sandbox) open(t *testing.T) (name string) {
	require.Eventually(t, func() bool {
		files, err := filepath.Glob(s.dir + "/var/lib/ragedge/recordings/*.open")
		if err == nil && len(files) == 1 {
			name = filepath.Base(files[0])
		}
		return name != ""
	}, patience, 10*time.Millisecond)
	return name
}

// freePorts are ports in the place of those of the pages.
func freePorts(t *testing.T) *strings.Replacer {
	var replace []string
	for _, port := range []string{":8080", ":8443"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, free, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		replace = append(replace, port, ":"+free)
	}
	return strings.NewReplacer(replace...)
}

// tools are the programs of the sandbox: ours, and such as every board has.
func (s *sandbox) tools(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, name := range []string{"ragedge", "curl"} {
		require.NoError(t, os.Symlink(self, filepath.Join(s.dir, "bin", name)))
	}
	for _, name := range []string{"chmod", "install", "mkdir", "openssl", "sh"} {
		if path, err := exec.LookPath(name); err == nil {
			require.NoError(t, os.Symlink(path, filepath.Join(s.dir, "bin", name)))
		}
	}
	for name, script := range map[string]string{
		"sudo": `exec "$@"`,
		"go":   `[ "$1 $2" = "run ./cmd/ragedge" ] && shift 2 && exec ragedge "$@"`,
	} {
		s.put(t, "bin/"+name, []byte("#!/bin/sh\n"+script+"\n"))
		require.NoError(t, os.Chmod(filepath.Join(s.dir, "bin", name), 0o755))
	}
}

// command is one of the reader's, in a folder, for a shell.
func (s *sandbox) command(t *testing.T, ctx context.Context, dir, text string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", s.inside(t, text))
	c.Dir = dir
	c.Env = []string{inSandbox + "=" + s.dir, "PATH=" + s.dir + "/bin", "TOKEN=" + s.token, "USER=reader", "HOME=" + s.dir + "/home",
		"GORACE=atexit_sleep_ms=0"} // else every process of a test of races lasts for a second more
	for _, variable := range []string{"RAGEDGE_CPU", "TMPDIR"} {
		if value := os.Getenv(variable); value != "" {
			c.Env = append(c.Env, variable+"="+value)
		}
	}
	c.Stdin = strings.NewReader("secret\n")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.WaitDelay = patience
	return c
}

// boot runs the daemon until the test ends.
func (s *sandbox) boot(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s.answers = &lockedBuffer{}
	daemon := s.command(t, ctx, s.dir, "exec ragedge run --config "+standardConfig)
	daemon.Stdout, daemon.Stderr = s.answers, s.answers
	daemon.Cancel = func() error { return daemon.Process.Signal(syscall.SIGTERM) }
	require.NoError(t, daemon.Start())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	pushed := make(chan struct{})
	t.Cleanup(func() {
		<-pushed
		cancel()
		<-ended
		require.Zero(t, daemon.ProcessState.ExitCode(), "%s", s.answers)
	})
	s.wait(t, func(*api.Status) bool { return true })
	pushing := t.Context()
	go func() {
		defer close(pushed)
		for pushing.Err() == nil {
			_, _ = s.client.exchange(pushing, "POST", "/v1/regions", []byte(`{"regions":{"light":[[121,34,53,40]]}}`))
			time.Sleep(100 * time.Millisecond)
		}
	}()
	s.wait(t, func(now *api.Status) bool { return now.Answered > 0 })
}

// reload puts a change of the configuration into force.
func (s *sandbox) reload(t *testing.T) {
	_, err := s.client.reload(context.Background()) // also when the test ends
	require.NoError(t, err)
}

// folder makes one for the readers of a page, with files.
func (s *sandbox) folder(t *testing.T, name string, files map[string][]byte) string {
	dir := filepath.Join(s.dir, "home", name)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), files[file], 0o644))
	}
	return dir
}
