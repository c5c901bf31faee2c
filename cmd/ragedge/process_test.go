package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

const processVariable = "RAGEDGE_TEST_MAIN"

// init lets this test binary be the program itself, for tests of what only a process
// can have: signals, standard output, an exit code.
func init() {
	if os.Getenv(processVariable) != "" {
		main()
	}
}

// process is the program, running as one.
type process struct {
	*site
	*exec.Cmd
	ended bool
}

// spawn begins the daemon of s with these as its standard output and error, and waits
// until it answers over its socket.
func (s *site) spawn(t *testing.T, stdout, stderr io.Writer) *process {
	p := &process{site: s, Cmd: exec.Command(os.Args[0], "run", "--config", s.config)}
	p.Env = append(os.Environ(), processVariable+"=1")
	p.Stdout, p.Stderr = stdout, stderr
	if err := p.Start(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip("under emulation, a program cannot start itself")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		if !p.ended {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	s.wait(t, func(*api.Status) bool { return true })
	return p
}

// terminate sends SIGTERM, and wants exit code 0.
func (p *process) terminate(t *testing.T) {
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	p.ended = true
	require.NoError(t, p.Wait(), "%v", p.Stderr)
}

// outlets makes what a standard output leads to: our end, and the program's.
var outlets = map[string]func(t *testing.T) (ours, theirs *os.File){
	"a pipe": func(t *testing.T) (ours, theirs *os.File) {
		ours, theirs, err := os.Pipe()
		require.NoError(t, err)
		return ours, theirs
	},
	"a socket, as of the journal": func(t *testing.T) (ours, theirs *os.File) {
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		return os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	},
}

// TestRow56StdoutCloses: when whoever reads standard output and error goes away, that
// output loses its Results, and counts them; decisions and the other outputs go on.
func TestRow56StdoutCloses(t *testing.T) {
	for name, outlet := range outlets {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			out := filepath.Join(s.dir, "out.jsonl")
			s.put(t, "ragedge.toml", append(s.read(t, "ragedge.toml"),
				"[[sink]]\ntype = \"stdout\"\n[[sink]]\ntype = \"file\"\npath = \""+out+"\"\n"...))
			ours, theirs := outlet(t)
			p := s.spawn(t, theirs, theirs)
			require.NoError(t, theirs.Close())
			line := make([]byte, 1)
			for line[0] != '{' { // after what the log says
				_, err := ours.Read(line)
				require.NoError(t, err)
			}
			require.NoError(t, ours.Close())

			before := s.wait(t, func(now *api.Status) bool { return now.Sinks[0].Errors > 3 })
			require.Contains(t, before.Sinks[0].LastError, syscall.EPIPE.Error())
			require.Empty(t, before.Late, "the watchdog is fed")
			// A reload, which is refused, says so in the log: there is none any more.
			good := s.read(t, "ragedge.toml")
			s.put(t, "ragedge.toml", []byte("nothing = true\n"))
			require.NoError(t, p.Process.Signal(syscall.SIGHUP))
			s.wait(t, func(now *api.Status) bool { return now.Config.Failed == 1 })
			s.put(t, "ragedge.toml", good)
			now := s.wait(t, func(now *api.Status) bool {
				return now.Decisions > before.Decisions+10 && now.Sinks[1].Written > before.Sinks[1].Written+10 &&
					now.Sinks[0].Errors > before.Sinks[0].Errors+10
			})
			require.Zero(t, now.Sinks[1].Errors+now.Sinks[1].Dropped)
			p.terminate(t)
			for i, line := range bytes.Split(bytes.TrimSpace(s.read(t, "out.jsonl")), []byte("\n")) {
				require.Contains(t, string(line), `"seq":`, i)
			}
		})
	}
}
