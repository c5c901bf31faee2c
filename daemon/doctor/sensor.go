package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// sensor looks at one [[sensor]] block: what the running daemon says of it, or, where
// none runs, the device itself.
func (v *visit) sensor(c sensor.Config) {
	n, hasNode := v.nodeOf(&c)
	if v.Status != nil {
		if s := v.statusOf(c.Alias); s != nil {
			v.reported(&c, &n, s)
		} else {
			v.add(Warning, fmt.Sprintf("sensor %s: the daemon does not have it", c.Alias), "the configuration was edited and not reloaded", "systemctl reload ragedge")
		}
		return
	}
	if hasNode {
		if l := v.closed(&n); l != open {
			v.explain(&c, &n, l, "")
			return
		}
	}
	before := len(v.findings)
	if err := v.try(&c, &n, hasNode); err != nil {
		v.explain(&c, &n, lockOf(err.Error()), err.Error())
	}
	if len(v.findings) > before {
		return
	}
	if hasNode && v.mayTouch() {
		v.ok("sensor %s: its device can be used", c.Alias)
	} else {
		v.ok("sensor %s: nothing wrong that can be seen from outside", c.Alias)
	}
}

func (v *visit) statusOf(alias string) *api.SensorStatus {
	i := slices.IndexFunc(v.Status.Sensors, func(s api.SensorStatus) bool { return s.Alias == alias })
	if i < 0 {
		return nil
	}
	return &v.Status.Sensors[i]
}

// reported explains what the daemon says of a sensor. It looks at files and the
// unit, but not at the bus.
func (v *visit) reported(c *sensor.Config, n *node, s *api.SensorStatus) {
	reason := strings.TrimPrefix(s.Reason, "sensor "+c.Alias+": ")
	switch {
	case s.State == api.StateUp:
		v.ok("sensor %s: up, %d readings", c.Alias, s.Reads)
	case s.State == api.StateProbing:
		v.add(Note, fmt.Sprintf("sensor %s: nothing has come yet", c.Alias), "")
	case n.path == "":
		if before := len(v.findings); v.try(c, n, false) != nil || len(v.findings) > before {
			return // the reason behind the reason
		}
		v.add(Problem, fmt.Sprintf("sensor %s: %s", c.Alias, s.State), reason, "journalctl -u ragedge -g "+c.Alias+" -n 20 --no-pager")
	default:
		v.still(c, n, lockOf(reason), reason)
	}
}

// still explains a lock that the daemon met, if it is still there.
func (v *visit) still(c *sensor.Config, n *node, l lock, reason string) {
	opened := v.closed(n) == open
	switch {
	case l == denied && opened:
		v.add(Problem, fmt.Sprintf("sensor %s: the daemon may not open %s, but would after a restart", c.Alias, n.path),
			"a process gets its groups when it starts", "systemctl restart ragedge")
	case l == missing && opened:
		v.add(Note, fmt.Sprintf("sensor %s: %s is there by now", c.Alias, n.path), "the daemon will try it again by itself")
	default:
		v.explain(c, n, l, reason)
	}
}

// try looks at a sensor's device.
func (v *visit) try(c *sensor.Config, n *node, hasNode bool) error {
	if hasNode && c.Type != sensor.GPIO && v.mayTouch() {
		if err := v.within(func() error { return v.Open(n.path) }); err != nil {
			if errors.Is(err, fs.ErrPermission) && lockOf(err.Error()) == denied && v.unit != nil {
				v.add(Note, fmt.Sprintf("sensor %s: %s may not open %s, but the service may", c.Alias, v.nameOf(v.UID), n.path), "run this as root to look at the device")
				return nil
			}
			return err
		}
	}
	switch c.Type {
	case sensor.I2C:
		return v.tryChip(c)
	case sensor.GPIO:
		return v.tryLine(c)
	case sensor.IIO:
		return v.kernelDevice(c, "sys/bus/iio/devices")
	case sensor.HWMon:
		return v.kernelDevice(c, "sys/class/hwmon", "sys/class/thermal")
	case sensor.Audio, sensor.Exec, sensor.Camera:
		return v.program(c)
	case sensor.Recorded:
		if strings.HasPrefix(c.File, "/") && !strings.ContainsAny(c.File, "*?[") && !v.exists(c.File) {
			v.add(Problem, fmt.Sprintf("sensor %s: there is no %s", c.Alias, c.File), "the recording to replay is missing", "ls -l "+path.Dir(c.File))
		}
	}
	return nil
}

var errHangs = errors.New("the call hangs")

// within bounds a call that may hang. One that does keeps its goroutine.
func (v *visit) within(call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(v.Patience):
		return errHangs
	}
}

// kernelDevice looks for a device by the name that the kernel gives it.
func (v *visit) kernelDevice(c *sensor.Config, classes ...string) error {
	var known []string
	for _, class := range classes {
		entries, _ := fs.ReadDir(v.Root, class)
		for _, e := range entries {
			for _, key := range []string{"name", "type"} {
				if name := v.text(path.Join(class, e.Name(), key)); name != "" {
					known = append(known, name)
				}
			}
		}
	}
	if slices.Contains(known, c.Driver) {
		return nil
	}
	slices.Sort(known)
	known = slices.Compact(known)
	v.add(Problem, fmt.Sprintf("sensor %s: the kernel has no device %s", c.Alias, c.Driver),
		fmt.Sprintf("its driver is not loaded, or its overlay is off. In /%s there are: %s", classes[0], strings.Join(known, ", ")),
		"ragedge sensors scan")
	return nil
}

// program looks for what an exec, audio or camera sensor runs.
func (v *visit) program(c *sensor.Config) error {
	name, fix := "", ""
	switch {
	case len(c.Command) > 0:
		name = c.Command[0]
	case c.Type == sensor.Audio:
		name, fix = "arecord", "apt-get install alsa-utils"
	default:
		return nil
	}
	if _, err := v.LookPath(name); err != nil {
		if fix == "" {
			fix = "ls -l " + name
		}
		v.add(Problem, fmt.Sprintf("sensor %s: the program %s cannot be run", c.Alias, name), err.Error(), fix)
	}
	return nil
}
