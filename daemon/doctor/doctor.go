package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/api"
)

// Case is what the doctor is asked about.
type Case struct {
	// Config has passed Check. File is where it came from, for commands.
	Config *daemon.Config
	File   string
	// Status is what the running daemon says, nil when it says nothing, and Silence
	// why it does not: an error of daemon.ErrTryAgain when none runs, of
	// fs.ErrPermission when this user may not ask.
	Status  *api.Status
	Silence error
	// Kernels are those of this build on this CPU.
	Kernels Kernels
}

// Kernels are the kernel sets of a build on a CPU: the one in use, all that it can
// run, and what is wrong with the one in use.
type Kernels struct {
	Set   string
	Sets  []string
	Fault error
}

// visit is one examination.
type visit struct {
	Machine
	Case
	ctx      context.Context
	unit     *unit // nil without systemd, or without our unit
	service  identity
	findings []Finding
}

// Examine looks at everything that c depends on and returns what it found, the
// problems first. It opens no bus and no line while the daemon runs, or may run: what
// the daemon says of them counts then.
func Examine(ctx context.Context, m Machine, c Case) []Finding {
	v := &visit{Machine: m.Fill(), Case: c, ctx: ctx}
	v.readUnit()
	v.service = v.whoServes()
	v.daemon()
	v.checkUnit()
	v.files()
	for i := range c.Config.Sensors {
		v.sensor(c.Config.Sensors[i].WithDefaults())
	}
	v.brokers()
	v.socket()
	v.clock()
	v.cpu()
	v.power()
	v.kernels()
	v.storage()
	v.memory()
	return sorted(merged(v.findings))
}

func (v *visit) add(s Severity, what, why string, fix ...string) {
	v.findings = append(v.findings, Finding{s, what, why, fix})
}

func (v *visit) ok(format string, args ...any) { v.add(OK, fmt.Sprintf(format, args...), "") }

// mayTouch says that no daemon runs whose buses an own look would disturb.
func (v *visit) mayTouch() bool {
	return v.Status == nil && errors.Is(v.Silence, daemon.ErrTryAgain) && !v.unit.active()
}

// name of a path below Root.
func below(absolute string) string { return strings.TrimPrefix(path.Clean(absolute), "/") }

func (v *visit) exists(absolute string) bool {
	_, err := fs.Stat(v.Root, below(absolute))
	return err == nil
}

// text returns what a small file says, "" when it cannot be read.
func (v *visit) text(absolute string) string {
	data, err := fs.ReadFile(v.Root, below(absolute))
	if err != nil {
		return ""
	}
	return strings.Trim(string(data), " \t\r\n\x00")
}

func (v *visit) link(absolute string) (string, error) { return fs.ReadLink(v.Root, below(absolute)) }

// target returns the last element of what a link leads to, "" when there is none.
func (v *visit) target(absolute string) string {
	to, err := v.link(absolute)
	if err != nil {
		return ""
	}
	return path.Base(to)
}

// daemon says whether it answers, and how it is.
func (v *visit) daemon() {
	const restart = "systemctl restart ragedge"
	switch s := v.Status; {
	case s == nil && errors.Is(v.Silence, fs.ErrPermission):
		v.add(Problem, "you may not ask the daemon", v.Silence.Error()+". Log in again afterwards", "usermod -aG "+serviceGroup+" "+v.nameOf(v.UID))
	case s == nil && errors.Is(v.Silence, daemon.ErrTryAgain):
		v.notRunning()
	case s == nil:
		v.add(Problem, "the daemon does not answer", text(v.Silence)+". Its buses are left alone, since it may run", "journalctl -u ragedge -n 50 --no-pager", restart)
	case len(s.Late) > 0:
		v.add(Problem, "the daemon is late: "+strings.Join(s.Late, ", "), "a stage has not kept its time; the watchdog restarts the daemon if that lasts", "journalctl -u ragedge -n 50 --no-pager")
	case s.State == api.StateDown:
		v.add(Problem, "the daemon gives no answers: "+s.Reason, "what is wrong with the sensors is said below", "ragedge status")
	case s.State != api.StateUp:
		v.add(Note, "the daemon is "+s.State+": "+s.Reason, "")
	default:
		v.ok("the daemon answers")
	}
	if s := v.Status; s != nil {
		if s.Config.LastError != "" {
			v.add(Warning, "the last reload failed", s.Config.LastError+". The configuration before it is still in force", "ragedge config check --config "+v.File, "systemctl reload ragedge")
		}
		if s.Record != nil && s.Record.LastError != "" {
			v.add(Problem, "nothing is recorded", s.Record.LastError)
		}
		for i, sink := range s.Sinks {
			if sink.LastError != "" {
				v.add(Problem, fmt.Sprintf("sink %d (%s) fails", i+1, sink.Type), sink.LastError)
			}
		}
	}
}

// text of an error, without the advice to try again, which is for scripts.
func text(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), daemon.ErrTryAgain.Error()+": ")
}

// files that the configuration names.
func (v *visit) files() {
	check := func(err error, well string) {
		switch {
		case err == nil:
			v.ok("%s", well)
		case errors.Is(err, fs.ErrPermission):
			v.add(Note, "a file may not be read by you", err.Error()+". The daemon may read it all the same: run this as root to know")
		default:
			v.add(Problem, "a file of the configuration cannot be used", err.Error())
		}
	}
	check(v.Config.CheckFiles(), "the files of sensors and sinks are there")
	if v.Config.ModelPath() != "" {
		_, _, err := v.Config.LoadModel()
		check(err, "the model can be used")
	}
	for _, w := range v.Config.Warnings() {
		v.add(Warning, w, "")
	}
}
