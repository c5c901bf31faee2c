// Package systemd checks the files of this folder with systemd's own tools.
package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const unitFile = "ragedge.service"

// tool returns the path of one of systemd's tools. On CI it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: install systemd", name)
	}
	t.Skipf("%s is missing: install systemd to run this test", name)
	return ""
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// settings returns the values of every key of a unit file, in order.
func settings(text string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && line[0] != '#' {
			all[key] = append(all[key], value)
		}
	}
	return all
}

// install writes a unit, and a drop-in unless its name is empty, into a folder
// of its own. The unit runs this test's binary, because systemd-analyze wants
// one that exists.
func install(t *testing.T, unit, dropIn string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.Contains(t, unit, "ExecStart=/usr/bin/ragedge ")
	unit = strings.Replace(unit, "/usr/bin/ragedge", self, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, unitFile), []byte(unit), 0o644))
	if dropIn != "" {
		drop := filepath.Join(dir, unitFile+".d")
		require.NoError(t, os.Mkdir(drop, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(drop, dropIn), []byte(read(t, dropIn)), 0o644))
	}
	return dir
}

// complaints returns what systemd-analyze verify says about the unit in dir. It
// loads the units that ours depends on as well; what it says of those is the
// host's affair.
func complaints(t *testing.T, dir string) (about []string) {
	t.Helper()
	cmd := exec.Command(tool(t, "systemd-analyze"), "verify", "./"+unitFile)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "ragedge") {
			about = append(about, strings.TrimSpace(line))
		}
	}
	if err != nil && len(about) == 0 {
		about = append(about, err.Error()+": "+string(out))
	}
	return about
}

func TestUnitVerifies(t *testing.T) {
	unit := read(t, unitFile)
	for _, dropIn := range []string{"", "10-push-only.conf", "20-mqtt.conf", "25-lan.conf", "30-chrony.conf", "40-audio.conf", "50-camera.conf"} {
		t.Run("with "+dropIn, func(t *testing.T) {
			require.Empty(t, complaints(t, install(t, unit, dropIn)))
		})
	}
	broken := map[string]string{
		"unknown key":   strings.Replace(unit, "UMask=", "Umask=", 1),
		"unknown value": strings.Replace(unit, "Restart=always", "Restart=often", 1),
		"no section":    strings.Replace(unit, "[Service]", "[Serve]", 1),
		"bad call":      strings.Replace(unit, "@system-service", "@no-such-set", 1),
		"no documents":  strings.Replace(unit, "https://", "htp:", 1),
	}
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, unit, text)
			require.NotEmpty(t, complaints(t, install(t, text, "")))
		})
	}
}

var overall = regexp.MustCompile(`Overall exposure level for ragedge\.service: (\S+)`)

// exposure returns the score as systemd prints it, and whether it is at most
// threshold, which counts in tenths.
func exposure(t *testing.T, dir, threshold string) (score string, ok bool) {
	t.Helper()
	cmd := exec.Command(tool(t, "systemd-analyze"), "security", "--offline=true", "--no-pager",
		"--threshold="+threshold, "./"+unitFile)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	found := overall.FindStringSubmatch(string(out))
	require.NotNil(t, found, "%s", out)
	return found[1], err == nil
}

func TestUnitExposure(t *testing.T) {
	unit := read(t, unitFile)
	for dropIn, threshold := range map[string]string{
		"":                  "15",
		"10-push-only.conf": "5",
		"20-mqtt.conf":      "15",
		"25-lan.conf":       "15",
		"30-chrony.conf":    "18",
		"40-audio.conf":     "15",
		"50-camera.conf":    "15",
	} {
		t.Run("with "+dropIn, func(t *testing.T) {
			score, ok := exposure(t, install(t, unit, dropIn), threshold)
			t.Logf("exposure %s", score)
			require.True(t, ok, "exposure %s is above %s tenths", score, threshold)
		})
	}
	for _, line := range []string{"CapabilityBoundingSet=", "SystemCallFilter=@system-service", "User=ragedge"} {
		t.Run("without "+line, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(unit, line+"\n"))
			score, ok := exposure(t, install(t, strings.Replace(unit, line+"\n", "", 1), ""), "15")
			require.False(t, ok, "exposure %s", score)
		})
	}
}

// TestRow58MemoryLimits: the collector works against the limit first, then the kernel
// slows the service down, then it kills it, and systemd starts it anew.
func TestRow58MemoryLimits(t *testing.T) {
	s := settings(read(t, unitFile))
	mebibytes := func(text string) int {
		n, err := strconv.Atoi(strings.TrimRight(text, "MiB"))
		require.NoError(t, err)
		return n
	}
	limit := ""
	for _, variable := range s["Environment"] {
		if value, ok := strings.CutPrefix(variable, "GOMEMLIMIT="); ok {
			limit = value
		}
	}
	require.Less(t, mebibytes(limit), mebibytes(s["MemoryHigh"][0]))
	require.Less(t, mebibytes(s["MemoryHigh"][0]), mebibytes(s["MemoryMax"][0]))
	require.Equal(t, []string{"stop"}, s["OOMPolicy"])
	require.Equal(t, []string{"always"}, s["Restart"])
}

// TestUnitContract holds what the daemon and its operators rely on.
func TestUnitContract(t *testing.T) {
	s := settings(read(t, unitFile))
	for key, want := range map[string]string{
		"Type":                     "notify",
		"ExecStart":                "/usr/bin/ragedge run --config /etc/ragedge/ragedge.toml --config-directory /etc/ragedge/ragedge.d",
		"ExecReload":               "/bin/kill -HUP $MAINPID",
		"Restart":                  "always",
		"RestartPreventExitStatus": "2 65 78 125",
		"StartLimitIntervalSec":    "0",
		"WatchdogSec":              "10",
		"User":                     "ragedge",
		"Group":                    "ragedge",
		"StateDirectory":           "ragedge",
		"RuntimeDirectory":         "ragedge",
		"RuntimeDirectoryMode":     "0750",
		"UMask":                    "0077",
		"MemoryHigh":               "48M",
		"MemoryMax":                "64M",
		"RestrictAddressFamilies":  "AF_UNIX AF_INET AF_INET6",
		"IPAddressDeny":            "any",
		"IPAddressAllow":           "localhost",
		"DevicePolicy":             "closed",
	} {
		require.Equal(t, []string{want}, s[key], key)
	}
	require.Contains(t, s["Environment"], "GODEBUG=disablethp=1")
	for _, device := range []string{"char-i2c rw", "char-spi rw", "char-spidev rw", "char-gpiochip rw"} {
		require.Contains(t, s["DeviceAllow"], device)
	}
	require.Greater(t, s["TimeoutStopSec"][0], "5", "the daemon drains for 5 s")
	// A missing credential file would fail the unit, and a dynamic user has no
	// group to join.
	require.NotContains(t, s, "LoadCredential")
	require.NotContains(t, s, "DynamicUser")
	require.NotContains(t, s["After"][0], "network")
	require.NotContains(t, s["After"][0], "time-sync")
}
