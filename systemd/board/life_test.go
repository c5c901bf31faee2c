package board

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func killed(t *testing.T) {
	figure(t, "from kill -9 to the next start", "%.1f s", strike(t, syscall.SIGKILL).Seconds())
}

// hangs stops the whole process: nobody feeds the watchdog.
func hangs(t *testing.T) {
	took := strike(t, syscall.SIGSTOP)
	figure(t, "from a hang to the next start, at most 15 s", "%.1f s", took.Seconds())
	require.LessOrEqual(t, took, 20*time.Second, "15 s, and what the emulator adds")
}

// strike sends the daemon a signal, waits until it is back, and returns how long
// it took until systemd started it again.
func strike(t *testing.T, signal syscall.Signal) time.Duration {
	t.Helper()
	old := pid(t)
	start := uptime(t)
	require.NoError(t, syscall.Kill(old, signal))
	awaitAnother(t, old)
	return moment(t, "ExecMainStartTimestampMonotonic") - start
}

// badReload: a reload that cannot be obeyed leaves the daemon as it was.
func badReload(t *testing.T) {
	good, err := os.ReadFile(configFile)
	require.NoError(t, err)
	old := pid(t)
	edit(t, "[agent]\nmodle = \"room.safetensors\"\n")
	run(t, "systemctl", "reload", unit)
	require.Eventually(t, func() bool {
		text, _ := try("systemctl", "show", unit, "--value", "--property=StatusText")
		return len(text) > 0 && containsAll(text, "modle")
	}, patience, 100*time.Millisecond)
	require.Equal(t, old, pid(t))
	edit(t, string(good))
	run(t, "systemctl", "reload", unit)
	require.Eventually(t, func() bool {
		text, _ := try("systemctl", "show", unit, "--value", "--property=StatusText")
		return !containsAll(text, "modle")
	}, patience, 100*time.Millisecond)
	require.Equal(t, old, pid(t))
}

// badConfiguration: a start that cannot succeed is not tried again and again.
func badConfiguration(t *testing.T) {
	good, err := os.ReadFile(configFile)
	require.NoError(t, err)
	edit(t, "[agent]\nmodle = \"room.safetensors\"\n")
	_, err = try("systemctl", "restart", unit)
	require.Error(t, err)
	require.Equal(t, "failed", property(t, "ActiveState"))
	require.Equal(t, "78", property(t, "ExecMainStatus"))
	restarts := property(t, "NRestarts")
	require.Never(t, func() bool {
		now, err := try("systemctl", "show", unit, "--value", "--property=NRestarts")
		return err != nil || now != restarts
	}, 4*time.Second, time.Second, "RestartSec is 2 s")
	require.Equal(t, "failed", property(t, "ActiveState"))
	edit(t, string(good))
	run(t, "systemctl", "restart", unit)
}
