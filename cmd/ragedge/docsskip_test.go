package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// elsewhere is a command, or the beginning of several, that the sandbox cannot run.
type elsewhere struct {
	command string
	page    string // the only one where that is so; empty: all
	because string
	// covered is where it is run, or what it does is tested: a file, and words in it.
	covered, says string
}

const (
	boardLife  = "../../systemd/board/board_test.go"
	boardCrash = "../../systemd/board/life_test.go"
	boardPack  = "../../systemd/board/package_test.go"
	postinst   = "../../systemd/deb/postinst"
	doctored   = "../../daemon/doctor/document_test.go"
	inPython   = "pythonpage_test.go"
	asking     = "../../examples/question/README.md"
)

// notHere are the commands that need another machine than the one that tests.
var notHere = []elsewhere{
	{"apt install ./ragedge_", "", "installs a package", boardLife, `"dpkg", "-i", first`},
	{"usermod -aG ragedge", "", "adds somebody to a group of the machine", boardLife, "members of the group do not reach the socket"},
	{"usermod -aG i2c", "", "the same", doctored, "TestDocument"},
	{"chgrp ragedge", "", "needs the group of the daemon", boardLife, `"ragedge ragedge", run(t, "stat", "-c", "%U %G", socket)`},
	{"systemctl status", "", "needs systemd", boardCrash, "StatusText"},
	{"systemctl reload", "", "needs systemd", boardLife, `"systemctl", "reload", unit`},
	{"systemctl restart", "", "needs systemd", boardCrash, `"systemctl", "restart", unit`},
	{"systemctl enable --now", "", "needs systemd", boardPack, `"systemctl", "enable", "--now", unit`},
	{"systemctl daemon-reload", "", "needs systemd", postinst, "systemctl daemon-reload"},
	{"systemctl stop", "", "needs systemd", "../../systemd/deb/prerm", "deb-systemd-invoke stop ragedge.service"},
	{"systemctl start", "", "needs systemd", postinst, "action=start"},
	{"systemd-sysusers ragedge.conf", "", "adds users to the machine", postinst, "systemd-sysusers ragedge.conf"},
	{"systemd-tmpfiles --create ragedge.conf", "", "needs those users", postinst, "systemd-tmpfiles --create ragedge.conf"},
	{"udevadm control --reload", "", "needs udev", postinst, "udevadm control --reload"},
	{"modprobe i2c-dev", "", "loads a driver", postinst, "modprobe -q i2c-dev"},
	{"modprobe spidev", "", "loads a driver", doctored, "TestDocument"},
	{"modprobe -r", "", "loads a driver anew", doctored, "TestDocument"},
	{"raspi-config nonint", "", "Raspberry Pi OS has it", doctored, "TestDocument"},
	{"/opt/nvidia/jetson-io/jetson-io.py", "", "JetPack has it", doctored, "TestDocument"},
	{"i2cdetect", "", "scans a bus", doctored, "TestDocument"},
	{"sudoedit", "", "is an editor", boardLife, "edit(t, lightConfig"},
	{"ssh -L", "", "needs a second machine", "../../daemon/chromium_test.go", "RAGEDGE_BROWSER"},
	{"mosquitto_sub", "", "needs a broker", "../../daemon/sink/mosquitto_test.go", "TestMosquitto("},
	{"make test", "", "would run itself", "../../scripts/test", "test_native"},
	{"make deb", "", "builds for minutes", "../../scripts/board", "scripts/release deb arm64"},
	{"make release", "", "builds for minutes", "../../scripts/test", "scripts/release deb arm64"},
	{"scripts/release deb arm64", "", "builds for minutes", "../../scripts/board", "scripts/release deb arm64"},
	{"git checkout", "", "needs a release", "../../scripts/test", "diff build/release/SHA256SUMS"},
	{"python3 bench/peers/peers.py", "", "fetches 8 GB", "../../scripts/test", "vet_peers"},
	{"python3 -m venv", "", "is for packages from elsewhere", inPython, `"-m", "venv", "venv"`},
	{"venv/bin/pip install", "", "fetches packages", inPython, `"venv/bin/pip"`},
	{"venv/bin/python", "", "needs PyTorch", inPython, `"venv/bin/python"`},
	{"KERAS_BACKEND=torch venv/bin/python", "", "needs Keras", inPython, `"venv/bin/python"`},
	{"ragedge run --config ragedge.toml", asking, "needs the model that Python makes", "question_test.go", `"/model.py"`},
	{"venv/bin/python model.py", asking, "needs PyTorch", "question_test.go", `"/model.py"`},
	{"venv/bin/python question.py", asking, "needs PyTorch", "question_test.go", `"/question.py", "--random", "--socket"`},
	{"python3 -m venv", asking, "is for packages from elsewhere", "../../scripts/python", "-m venv"},
	{"venv/bin/pip install", asking, "fetches packages", "../../scripts/python", "examples/*/requirements.txt"},
}

// has says whether the entry is about a command.
func (e *elsewhere) has(c typed) bool {
	text := strings.TrimPrefix(c.text, "sudo ")
	return strings.HasPrefix(text, e.command) && (e.page == "" || e.page == c.page)
}

// find is the entry about a command, the one of its page before one of all pages; nil for
// a command that the sandbox runs.
func find(c typed) (found *elsewhere) {
	for i := range notHere {
		if e := &notHere[i]; e.has(c) && (found == nil || e.page != "") {
			found = e
		}
	}
	return found
}

// Every entry is about a command of a page, and what covers it is there.
func TestCommandsRunElsewhere(t *testing.T) {
	all := typedIn(t)
	for _, e := range notHere {
		found := false
		for _, commands := range all {
			for _, c := range commands {
				of := find(c)
				found = found || of != nil && *of == e
			}
		}
		require.True(t, found, "no page has %q any more", e.command)
		require.NotEmpty(t, e.because, e.command)
		text, err := os.ReadFile(e.covered)
		require.NoError(t, err, e.command)
		require.True(t, strings.Contains(string(text), e.says), "%s: %s does not cover it any more", e.command, e.covered)
	}
}

// script is a Python program on a command line.
var script = regexp.MustCompile(`python3? (\S+\.py)`)

// Whatever is left to Python's own tests stands on a page that they run, and its programs
// have the flags.
func TestPythonRunsThePages(t *testing.T) {
	text, err := os.ReadFile(inPython)
	require.NoError(t, err)
	scripts := 0
	for page, commands := range typedIn(t) {
		for _, c := range commands {
			if e := find(c); e != nil && e.covered == inPython {
				require.True(t, strings.Contains(string(text), page), "%s:%d: %s has no such page", page, c.line, inPython)
			}
			if m := script.FindStringSubmatch(c.text); m != nil {
				text, err := os.ReadFile(filepath.Join(map[bool]string{true: "../..", false: filepath.Dir(page)}[strings.Contains(m[1], "/")], m[1]))
				require.NoError(t, err, "%s:%d", page, c.line)
				for _, flag := range regexp.MustCompile(`\s(--\w+)`).FindAllStringSubmatch(c.text, -1) {
					require.True(t, strings.Contains(string(text), `add_argument("`+flag[1]+`"`), "%s:%d: %s has no %s", page, c.line, m[1], flag[1])
				}
				scripts++
			}
		}
	}
	require.Equal(t, 9, scripts)
}
