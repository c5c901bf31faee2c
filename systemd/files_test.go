package systemd

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ragedge/ragedge/daemon"
	"github.com/stretchr/testify/require"
)

// lines returns the lines of a file that are not comments.
func lines(t *testing.T, name string) (all []string) {
	t.Helper()
	for line := range strings.Lines(read(t, name)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// groups returns the groups that sysusers.d/ragedge.conf creates; a user has one
// of the same name.
func groups(t *testing.T) (names []string) {
	t.Helper()
	for _, line := range lines(t, "ragedge.sysusers") {
		fields := strings.Fields(line)
		require.Contains(t, []string{"u", "g"}, fields[0])
		names = append(names, fields[1])
	}
	return names
}

// runIn runs a tool of systemd on one of this folder's files, with root as the
// root directory.
func runIn(t *testing.T, root, name, file string, options ...string) {
	t.Helper()
	file, err := filepath.Abs(file)
	require.NoError(t, err)
	out, err := exec.Command(tool(t, name), append(options, "--root="+root, file)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// newRoot returns an empty root directory with the users of ragedge.sysusers.
func newRoot(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can create users and give files to them")
		}
		t.Skip("only root can create users and give files to them")
	}
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "etc"), 0o755))
	runIn(t, root, "systemd-sysusers", "ragedge.sysusers")
	return root
}

func TestSysusers(t *testing.T) {
	root := newRoot(t)
	require.Regexp(t, `(?m)^ragedge:x:\d+:\d+:ragedge sensor fusion:/var/lib/ragedge:\S*nologin$`,
		read(t, filepath.Join(root, "etc/passwd")))
	created := read(t, filepath.Join(root, "etc/group"))
	for _, name := range groups(t) {
		require.Regexp(t, `(?m)^`+name+`:x:\d+:$`, created)
	}
}

// TestGroupsExist: every group that the unit, the rules or the directories name
// is one that is created. A missing one keeps the unit from starting.
func TestGroupsExist(t *testing.T) {
	created := groups(t)
	unit := settings(read(t, unitFile))
	require.Subset(t, created, unit["Group"])
	require.Subset(t, created, unit["User"])
	require.Subset(t, created, strings.Fields(unit["SupplementaryGroups"][0]))
	for _, rule := range lines(t, "60-ragedge.rules") {
		require.Contains(t, strings.Fields(unit["SupplementaryGroups"][0]), ruleValue(rule, `GROUP=`))
	}
	for _, line := range lines(t, "ragedge.tmpfiles") {
		require.Subset(t, created, strings.Fields(line)[3:5])
	}
}

func TestTmpfiles(t *testing.T) {
	root := newRoot(t)
	runIn(t, root, "systemd-tmpfiles", "ragedge.tmpfiles", "--create")
	passwd := read(t, filepath.Join(root, "etc/passwd"))
	for path, mode := range map[string]fs.FileMode{
		"var/lib/ragedge":        0o750,
		"var/lib/ragedge/models": 0o770 | fs.ModeSetgid,
	} {
		info, err := os.Stat(filepath.Join(root, path))
		require.NoError(t, err)
		require.Equal(t, mode|fs.ModeDir, info.Mode(), path)
		owner := info.Sys().(*syscall.Stat_t)
		require.Contains(t, passwd, fmt.Sprintf("ragedge:x:%d:%d:", owner.Uid, owner.Gid))
	}
	// The unit sets the same mode whenever it starts.
	require.Equal(t, []string{"0750"}, settings(read(t, unitFile))["StateDirectoryMode"])
}

var (
	assignment = regexp.MustCompile(`^(SUBSYSTEM==|KERNEL==|GROUP=|MODE=)"([^"]+)"$`)
	mode       = regexp.MustCompile(`^0[0-7]{3}$`)
)

// ruleValue returns what stands after a key and its operator, "" for a key that
// the rule does not have.
func ruleValue(rule, key string) string {
	for part := range strings.SplitSeq(rule, ", ") {
		if m := assignment.FindStringSubmatch(part); m != nil && m[1] == key {
			return m[2]
		}
	}
	return ""
}

// TestRules checks the rules by a grammar of its own, since udevadm can verify
// only from systemd 254 on, and with udevadm where it can.
func TestRules(t *testing.T) {
	var subsystems []string
	for _, rule := range lines(t, "60-ragedge.rules") {
		for part := range strings.SplitSeq(rule, ", ") {
			require.Regexp(t, assignment, part)
		}
		require.Regexp(t, mode, ruleValue(rule, "MODE="))
		require.NotEmpty(t, ruleValue(rule, "GROUP="))
		subsystems = append(subsystems, ruleValue(rule, "SUBSYSTEM=="))
	}
	require.Equal(t, []string{"i2c-dev", "spidev", "gpio", "iio"}, subsystems)

	udevadm, err := exec.LookPath("udevadm")
	if err != nil {
		t.Log("without udevadm: it is not installed")
		return
	}
	if help, err := exec.Command(udevadm, "--help").Output(); err != nil || !bytes.Contains(help, []byte("verify")) {
		t.Log("without udevadm: it cannot verify before systemd 254")
		return
	}
	out, err := exec.Command(udevadm, "verify", "60-ragedge.rules").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestModulesLoad(t *testing.T) {
	require.Equal(t, []string{"i2c-dev"}, lines(t, "ragedge.modules-load"))
	require.Contains(t, strings.Fields(settings(read(t, unitFile))["After"][0]), "systemd-modules-load.service")
}

// TestReadmeNamesEveryFile keeps the table of where things go complete.
func TestReadmeNamesEveryFile(t *testing.T) {
	readme := read(t, "README.md")
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && name != "README.md" && !strings.HasSuffix(name, "_test.go") {
			require.Contains(t, readme, "| `"+name+"` | `/", "README.md does not say where %s goes", name)
		}
	}
}

// TestPackageConfiguration: what the package installs works as it is, and needs
// neither a model nor a file that it does not bring.
func TestPackageConfiguration(t *testing.T) {
	config, err := daemon.LoadConfig("deb/ragedge.toml", "")
	require.NoError(t, err)
	require.NoError(t, config.Check())
	require.NoError(t, config.CheckFiles())
	require.Empty(t, config.Warnings())
	require.Empty(t, config.Agent.Model)
	require.NotEmpty(t, config.Sensors)
}
