package doctor

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// otherCommands of docs/doctor.md are those of ragedge itself and a command with a
// placeholder, whose form the doctor fills in.
var otherCommands = []string{"ragedge status", "ragedge doctor", "usermod -aG ragedge NAME"}

var (
	block  = regexp.MustCompile(`(?m)^    (\S.*)$`)
	inline = regexp.MustCompile("`([^`]+)`")
	verbs  = regexp.MustCompile(`^(usermod|systemctl|systemd-sysusers|ragedge|journalctl|install|timedatectl|docker|modprobe|reboot|gpioinfo|i2cdetect|echo|printf) ?`)
)

// TestDocument: every command of docs/doctor.md is one that the doctor gives in a
// scene, and a shell can read all that it gives.
func TestDocument(t *testing.T) {
	given := map[string]bool{}
	for _, s := range allScenes() {
		for _, f := range s.examine(t) {
			for _, command := range f.Fix {
				given[command] = true
			}
		}
	}
	for _, command := range otherCommands {
		given[command] = true
	}
	text, err := os.ReadFile("../../docs/doctor.md")
	require.NoError(t, err)
	var commands []string
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		command, _, _ := strings.Cut(m[1], "     #")
		commands = append(commands, command)
	}
	for _, m := range inline.FindAllStringSubmatch(string(text), -1) {
		if verbs.MatchString(m[1]) {
			commands = append(commands, m[1])
		}
	}
	require.Greater(t, len(commands), 20)
	for _, command := range commands {
		require.True(t, given[command], "no scene gives %q", command)
	}
	for command := range given {
		out, err := exec.Command("sh", "-nc", command).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
}
