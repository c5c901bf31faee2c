package board

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBoard is the life of the package on one board: each part goes on from
// where the one before it ended.
func TestBoard(t *testing.T) {
	onBoard(t)
	for _, part := range []struct {
		name string
		test func(*testing.T)
	}{
		{"install", install},
		{"unprivileged", unprivileged},
		{"socket", socketIsForTheGroup},
		{"exposure", exposure},
		{"light sensor", lightSensor},
		{"memory", memoryStaysSmall},
		{"kill", killed},
		{"hang", hangs},
		{"bad reload", badReload},
		{"bad configuration", badConfiguration},
		{"upgrade", upgrade},
		{"disabled", staysDisabled},
		{"remove", remove},
		{"purge", purge},
		{"preset", preset},
	} {
		if !t.Run(part.name, part.test) {
			out, _ := try("journalctl", "--no-pager", "-o", "cat", "-n", "30", "-u", unit)
			t.Fatalf("the daemon's log:\n%s", out)
		}
	}
}

// install: the package works at once, without hardware, model or edits.
func install(t *testing.T) {
	start := time.Now()
	run(t, "dpkg", "-i", first)
	figure(t, "dpkg -i", "%.1f s", time.Since(start).Seconds())
	require.Equal(t, "active", property(t, "ActiveState"))
	require.Equal(t, "enabled", property(t, "UnitFileState"))
	require.Equal(t, "success", property(t, "Result"))
	_, err := post("/v1/regions", `{"samples":[{"channel":"co2","value":612}]}`)
	require.NoError(t, err)
	await(t, "/v1/result", func(a answer) bool { return a.read("co2") })
	figure(t, "from dpkg -i to the first readings", "%.1f s, of ticks of 10 s", time.Since(start).Seconds())
	figure(t, "start to ready, with the package's configuration", "%d ms", ready(t).Milliseconds())
	require.NotContains(t, run(t, "ragedge", "config", "check", "--config", configFile), "warning")
	info, err := os.Stat(state + "/models")
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|os.ModeSetgid|0o770, info.Mode())
}

func unprivileged(t *testing.T) {
	s := processStatus(t, pid(t))
	uids := strings.Fields(s["Uid"])
	require.Len(t, uids, 4)
	want := run(t, "id", "-u", "ragedge")
	require.NotEqual(t, "0", want)
	require.Equal(t, []string{want, want, want, want}, uids)
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		require.Equal(t, "0000000000000000", s[set], set)
	}
	require.Equal(t, "1", s["NoNewPrivs"])
	require.Equal(t, "2", s["Seccomp"])
}

func socketIsForTheGroup(t *testing.T) {
	for path, mode := range map[string]os.FileMode{socket: os.ModeSocket | 0o660, filepath.Dir(socket): os.ModeDir | 0o750} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), path)
	}
	require.Equal(t, "ragedge ragedge", run(t, "stat", "-c", "%U %G", socket))
	// Whoever may not look into the folder cannot connect.
	look := func(groups ...uint32) error {
		cmd := exec.Command("stat", socket)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, Groups: groups}}
		return cmd.Run()
	}
	require.Error(t, look(), "everybody reaches the socket")
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.NoError(t, look(info.Sys().(*syscall.Stat_t).Gid), "members of the group do not reach the socket")
}

func exposure(t *testing.T) {
	out, err := try("systemd-analyze", "security", "--no-pager", "--threshold=15", unit)
	require.NoError(t, err, "%s", out)
	_, score, ok := strings.Cut(out, "Overall exposure level for "+unit+": ")
	require.True(t, ok)
	figure(t, "exposure, at most 1.5", "%s", strings.Fields(score)[0])
}

const unplugged = "/sys/module/fake_bh1750/parameters/unplugged"

// lightSensor reads a chip through the unit's device rules, and pulls its plug.
func lightSensor(t *testing.T) {
	if out, err := try("modprobe", "fake-bh1750"); err != nil {
		t.Skip("without the fake I2C bus: ", out)
	}
	buses, err := filepath.Glob("/dev/i2c-*")
	require.NoError(t, err)
	require.Len(t, buses, 1)
	require.Eventually(t, func() bool {
		out, _ := try("stat", "-c", "%G %a", buses[0])
		return out == "i2c 660"
	}, patience, 100*time.Millisecond, "udev has not given %s to the group i2c", buses[0])
	edit(t, lightConfig+"bus = \""+strings.TrimPrefix(buses[0], "/dev/i2c-")+"\"\n")
	run(t, "systemctl", "reload", unit)
	got := await(t, "/v1/result", func(a answer) bool { return a.read("lux") })
	require.InDelta(t, 100, *got.Readings["lux"].Value, 0.01)

	require.NoError(t, os.WriteFile(unplugged, []byte("1"), 0))
	await(t, "/v1/status", func(a about) bool { return a.state("desk") == "down" && a.state("air") != "down" })
	require.NoError(t, os.WriteFile(unplugged, []byte("0"), 0))
	await(t, "/v1/status", func(a about) bool { return a.state("desk") == "up" })
}

const lightConfig = `
[features]
tick = "1s"
[[sensor]]
alias = "air"
type = "push"
channels = { co2 = "co2" }
[[sensor]]
alias = "desk"
type = "i2c"
driver = "bh1750"
channels = { lux = "lux" }
interval = "500ms"
`

// edit replaces the configuration, as whoever operates the board does.
func edit(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(configFile, []byte(text), 0o644))
}
