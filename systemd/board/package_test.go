package board

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// containsAll says whether text has every one of words.
func containsAll(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// upgrade: dpkg asks about the configuration, since both sides have changed it;
// the daemon is restarted once and goes on with the operator's.
func upgrade(t *testing.T) {
	ours, err := os.ReadFile(configFile)
	require.NoError(t, err)
	old := pid(t)
	out, err := try("dpkg", "-i", later)
	require.Error(t, err, "dpkg has not asked")
	require.Contains(t, out, "conffile")
	require.Equal(t, old, pid(t), "the daemon stopped before the upgrade was decided")

	run(t, "dpkg", "--force-confold", "-i", later)
	require.Equal(t, "ii  .later", strings.TrimSpace(installed(t)))
	require.NotEqual(t, old, pid(t))
	require.Equal(t, "active", property(t, "ActiveState"))
	kept, err := os.ReadFile(configFile)
	require.NoError(t, err)
	require.Equal(t, string(ours), string(kept))
	require.FileExists(t, configFile+".dpkg-dist")
	await(t, "/v1/status", func(a about) bool { return len(a.Sensors) == len(roomSensors) })
}

// installed is the package's state, and the end of its version.
func installed(t *testing.T) string {
	t.Helper()
	out := run(t, "dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Version}", "ragedge")
	state, version, _ := strings.Cut(out, " ")
	if strings.HasSuffix(version, ".later") {
		version = " .later"
	}
	return state + " " + version
}

// staysDisabled: an upgrade does not switch on what the operator switched off.
func staysDisabled(t *testing.T) {
	run(t, "systemctl", "disable", "--now", unit)
	run(t, "dpkg", "--force-confold", "-i", later)
	require.Equal(t, "disabled", property(t, "UnitFileState"))
	require.Equal(t, "inactive", property(t, "ActiveState"))
	run(t, "systemctl", "enable", "--now", unit)
}

// remove keeps what cannot be installed again.
func remove(t *testing.T) {
	require.NotZero(t, pid(t))
	run(t, "dpkg", "-r", "ragedge")
	require.NotEqual(t, "active", property(t, "ActiveState"))
	require.NoFileExists(t, "/usr/bin/ragedge")
	require.FileExists(t, configFile)
	require.FileExists(t, state+"/models/room.safetensors")

	run(t, "dpkg", "--force-confold", "-i", later)
	require.Equal(t, "active", property(t, "ActiveState"), "installed again, it does not run")
}

func purge(t *testing.T) {
	run(t, "dpkg", "-P", "ragedge")
	for _, path := range []string{"/etc/ragedge", state, "/run/ragedge", "/usr/share/doc/ragedge"} {
		require.NoDirExists(t, path)
	}
	for _, folder := range []string{"/etc/systemd", "/var/lib/systemd"} {
		require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			require.NotContains(t, path, "ragedge")
			return err
		}))
	}
	require.Equal(t, "not-found", property(t, "LoadState"))
}

// preset: where the system's policy is that services stay off, this one does.
func preset(t *testing.T) {
	require.NoError(t, os.MkdirAll("/etc/systemd/system-preset", 0o755))
	require.NoError(t, os.WriteFile("/etc/systemd/system-preset/00-off.preset", []byte("disable ragedge.service\n"), 0o644))
	run(t, "dpkg", "-i", first)
	require.Equal(t, "disabled", property(t, "UnitFileState"))
	require.Equal(t, "inactive", property(t, "ActiveState"))
}
