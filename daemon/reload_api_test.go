package daemon

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The API moves while the daemon runs, and goes back when the rest of a
// configuration is refused.
func TestReloadMovesTheAPI(t *testing.T) {
	r := newReloadable(t, airSensor())
	stop := run(t, r.Daemon)
	require.Eventually(t, func() bool { return r.reloads.announced.Load() }, 10*time.Second, time.Millisecond)
	dir := t.TempDir()
	answers := func(name string) bool {
		c, err := net.Dial("unix", filepath.Join(dir, name))
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	r.config.API.Listen = []string{"unix:" + filepath.Join(dir, "a")}
	require.NoError(t, r.Reload())
	require.True(t, answers("a"), "there was no API before")

	r.config.API.Listen = []string{"unix:" + filepath.Join(dir, "b")}
	r.config.Agent.Model = "missing.safetensors"
	require.Error(t, r.Reload())
	require.True(t, answers("a"))
	require.False(t, answers("b"))

	r.config.Agent.Model = "tiny.safetensors"
	require.NoError(t, r.Reload())
	require.True(t, answers("b"))
	require.Eventually(t, func() bool { return !answers("a") }, 10*time.Second, time.Millisecond)
	require.NoError(t, stop())
	require.False(t, answers("b"))
}
