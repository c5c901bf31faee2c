package systemd

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const crashVariable = "RAGEDGE_TEST_CRASH"

// TestMain is also the daemon that crashes.
func TestMain(m *testing.M) {
	switch os.Getenv(crashVariable) {
	case "panic":
		noCore()
		panic("a bug")
	case "abort":
		noCore()
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	}
	os.Exit(m.Run())
}

func noCore() {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		os.Exit(1)
	}
}

// TestCrashesAreRestarted shows that a panic, and the watchdog's SIGABRT, do not
// end in one of the exit codes after which systemd leaves the daemon down, and
// that they would without the unit's environment.
func TestCrashesAreRestarted(t *testing.T) {
	s := settings(read(t, unitFile))
	prevented := strings.Fields(s["RestartPreventExitStatus"][0])
	require.Contains(t, prevented, "2")
	for _, way := range []string{"panic", "abort"} {
		t.Run(way, func(t *testing.T) {
			status := crash(t, way, s["Environment"])
			require.True(t, status.Signaled(), "exit code %d", status.ExitStatus())
			require.Equal(t, syscall.SIGABRT, status.Signal())

			status = crash(t, way, []string{"GOTRACEBACK=single"})
			require.Equal(t, 2, status.ExitStatus())
		})
	}
}

// crash runs this test's binary until it dies.
func crash(t *testing.T, way string, environment []string) syscall.WaitStatus {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), environment...), crashVariable+"="+way)
	require.Error(t, cmd.Run())
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}
