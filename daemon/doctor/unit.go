package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

const unitName = "ragedge.service"

// unit is what systemd says of ours: properties, each with its values.
type unit map[string][]string

func (u *unit) get(property string) string {
	if u == nil || len((*u)[property]) == 0 {
		return ""
	}
	return strings.Join((*u)[property], " ")
}

func (u *unit) active() bool {
	return slices.Contains([]string{"active", "activating", "reloading"}, u.get("ActiveState"))
}

var unitProperties = []string{
	"LoadState", "ActiveState", "Result", "ExecMainStatus", "NRestarts", "NeedDaemonReload",
	"User", "Group", "SupplementaryGroups", "DevicePolicy", "DeviceAllow", "PrivateDevices", "PrivateNetwork",
	"IPAddressAllow", "IPAddressDeny", "MemoryHigh", "MemoryMax",
}

// readUnit asks systemd.
func (v *visit) readUnit() {
	ctx, cancel := context.WithTimeout(v.ctx, v.Patience)
	defer cancel()
	out, err := v.Systemctl(ctx, "show", unitName, "--no-pager", "--property="+strings.Join(unitProperties, ","))
	if err != nil {
		v.add(Note, "systemd was not asked", "it does not run here, or systemctl is missing: nothing is known of the unit")
		return
	}
	u := unit{}
	for line := range strings.Lines(out) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			u[key] = append(u[key], value)
		}
	}
	if u.get("LoadState") != "loaded" {
		v.add(Note, "there is no "+unitName, "the daemon is not a service here; systemd/README.md says how to make it one")
		return
	}
	v.unit = &u
}

// exitMeaning says what the exit statuses mean that a service ends with, ours and
// systemd's own, and how to go on.
var exitMeaning = map[string]struct{ why, fix string }{
	"2":   {"the command line of the unit is wrong", "systemctl cat ragedge"},
	"65":  {"the model or a recording cannot be used", "journalctl -u ragedge -n 20 --no-pager"},
	"75":  {"another daemon has the socket, or a sensor with startup_error = \"error\" does not answer", "journalctl -u ragedge -n 20 --no-pager"},
	"78":  {"the configuration is wrong", "ragedge config check --config /etc/ragedge/ragedge.toml"},
	"203": {"the program of the unit is not there or cannot be executed", "ls -l /usr/bin/ragedge"},
	"216": {"a group that the unit names does not exist", "systemd-sysusers ragedge.conf"},
	"217": {"the user that the unit names does not exist", "systemd-sysusers ragedge.conf"},
	"243": {"a credential is missing: the file that LoadCredential= names in a drop-in", "systemctl cat ragedge"},
}

// notRunning says why no daemon runs, as far as systemd knows.
func (v *visit) notRunning() {
	status := v.unit.get("ExecMainStatus")
	meaning, known := exitMeaning[status]
	switch {
	case v.unit == nil:
		v.add(Problem, "no daemon runs", text(v.Silence), "ragedge run --config "+v.File)
	case v.unit.active():
		v.add(Problem, "the service runs, but does not answer", text(v.Silence)+". It may be starting, or use another configuration: compare --config", "systemctl status ragedge --no-pager")
	case known:
		v.add(Problem, "the service ended with status "+status, meaning.why, meaning.fix, "systemctl restart ragedge")
	case v.unit.get("ActiveState") == "failed":
		v.add(Problem, fmt.Sprintf("the service failed (%s, status %s)", v.unit.get("Result"), status), "its log says how", "journalctl -u ragedge -n 20 --no-pager")
	default:
		v.add(Problem, "the service is not started", text(v.Silence), "systemctl enable --now ragedge")
	}
}

func (v *visit) checkUnit() {
	if v.unit == nil {
		return
	}
	if v.unit.get("NeedDaemonReload") == "yes" {
		v.add(Warning, "the unit's file is newer than what systemd has loaded", "changes of the unit or of its drop-ins are not in force", "systemctl daemon-reload", "systemctl restart ragedge")
	} else {
		v.ok("systemd has loaded the newest unit")
	}
	missing := ""
	for _, group := range strings.Fields(v.unit.get("SupplementaryGroups")) {
		if !v.knowsGroup(group) {
			missing += " " + group
		}
	}
	if missing != "" {
		v.add(Problem, "groups of the unit do not exist:"+missing, "systemd does not start the service without them (status 216/GROUP)", "systemd-sysusers ragedge.conf", "systemctl restart ragedge")
	}
	if user := v.unit.get("User"); user != "" && !v.knowsUser(user) {
		v.add(Problem, "the user of the unit does not exist: "+user, "systemd does not start the service without it (status 217/USER)", "systemd-sysusers ragedge.conf", "systemctl restart ragedge")
	}
}

// allows says whether the unit lets the daemon use devices of one of the classes,
// as /proc/devices names them.
func (u *unit) allows(classes []string) bool {
	if u == nil {
		return true
	}
	policy, rules := u.get("DevicePolicy"), (*u)["DeviceAllow"]
	if (policy == "auto" || policy == "") && len(rules) == 0 {
		return true
	}
	for _, rule := range rules {
		for _, class := range classes {
			if strings.Contains(" "+rule+" ", "char-"+class+" ") || strings.Contains(rule, "char-* ") {
				return true
			}
		}
	}
	return false
}

// hasDriver says whether the kernel knows one of the classes of devices now.
func (v *visit) hasDriver(classes []string) bool {
	return slices.ContainsFunc(v.drivers(), func(d driver) bool { return slices.Contains(classes, d.name) })
}

// driver is a line of /proc/devices.
type driver struct{ major, name string }

// drivers lists those of character devices.
func (v *visit) drivers() (all []driver) {
	characters, _, _ := strings.Cut(v.text("/proc/devices"), "Block devices:")
	for line := range strings.Lines(characters) {
		if fields := strings.Fields(line); len(fields) == 2 {
			all = append(all, driver{fields[0], fields[1]})
		}
	}
	return all
}

// classOf names the driver of a device file as this kernel does, which is what
// DeviceAllow= goes by; "" where that cannot be told.
func (v *visit) classOf(info fs.FileInfo) string {
	major, ok := v.Major(info)
	i := slices.IndexFunc(v.drivers(), func(d driver) bool { return d.major == strconv.Itoa(major) })
	if !ok || i < 0 {
		return ""
	}
	return v.drivers()[i].name
}
