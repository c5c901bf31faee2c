package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/doctor"
	"github.com/stretchr/testify/require"
)

// The doctor on this machine: what it finds depends on it, but not how it says so.
func TestDoctor(t *testing.T) {
	s := newSite(t)
	text := string(s.read(t, "ragedge.toml"))
	s.put(t, "ragedge.toml", []byte(text+"[[sensor]]\nalias = \"desk\"\ntype = \"i2c\"\ndriver = \"bh1750\"\nbus = \"250\"\n"))
	code, stdout, stderr := try(t, "doctor", "--config", s.config)
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, "problem   sensor desk: there is no /dev/i2c-250\n")
	require.Regexp(t, `(?m)^problem   (no daemon runs|the service is not started)$`, stdout)
	require.Contains(t, stdout, "\n          # ")
	require.NotRegexp(t, `(?m)^ok `, stdout)
	require.Regexp(t, `\n[1-9]\d* problems, \d+ warnings, \d+ notes, [1-9]\d* checks are well\n$`, stdout)
	code, stdout, _ = try(t, "doctor", "--all", "--config", s.config)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, "\nok        the model can be used\n")

	code, stdout, _ = try(t, "doctor", "--json", "--config", s.config)
	require.Equal(t, exitFailed, code)
	var found []doctor.Finding
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.Equal(t, doctor.Problem, found[0].Severity)
	require.NotEmpty(t, found[0].Fix)
}

// With a daemon that runs well, the doctor asks it, and is content.
func TestDoctorAsksTheDaemon(t *testing.T) {
	s := newSite(t)
	s.addSensor(t)
	s.run(t)
	s.wait(t, func(now *api.Status) bool { return now.State == api.StateUp && now.Sensors[0].Reads > 0 })
	code, stdout, stderr := try(t, "doctor", "--all", "--config", s.config)
	require.Contains(t, stdout, "ok        the daemon answers\n", stderr)
	require.Regexp(t, `(?m)^ok        sensor lamp: up, \d+ readings$`, stdout)
	require.Zero(t, code, stdout)
}

// A configuration that cannot be used ends the visit with its own error.
func TestDoctorBadConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.toml")
	require.NoError(t, os.WriteFile(path, []byte("[agent]\nmodle = \"x\"\n"), 0o600))
	code, stdout, stderr := try(t, "doctor", "--config", path)
	require.Equal(t, exitConfig, code)
	require.Empty(t, stdout)
	_, _, same := try(t, "config", "check", "--config", path)
	require.Equal(t, same, stderr)

	require.NoError(t, os.WriteFile(path, []byte("[[sensor]]\nalias = \"x\"\ntype = \"i2c\"\n"), 0o600))
	code, _, stderr = try(t, "doctor", "--config", path)
	require.Equal(t, exitConfig, code)
	_, _, same = try(t, "config", "check", "--config", path)
	require.Equal(t, same, stderr)
}

func TestFindings(t *testing.T) {
	found := []doctor.Finding{
		{Severity: doctor.Problem, What: "sensor desk: nothing answers at address 0x23 on I2C bus 1", Why: "check power, the cable and the pins that set the address\x1b[2J", Fix: []string{"i2cdetect -y 1"}},
		{Severity: doctor.OK, What: "fine"},
	}
	p := &panel{view{color: true}, 40}
	lines := p.findings(found, false)
	text := strings.Join(lines, "\n")
	require.NotContains(t, text, "\x1b[2J")
	require.NotContains(t, text, "fine")
	require.Contains(t, visible(text), "          # i2cdetect -y 1")
	for _, line := range lines[:len(lines)-1] {
		require.LessOrEqual(t, utf8.RuneCountInString(visible(line)), 40)
	}
	require.Contains(t, strings.Join(p.findings(found, true), "\n"), "fine")
}
