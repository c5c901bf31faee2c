package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// node is the device file that a kind of sensor needs.
type node struct {
	path    string
	classes []string // what /proc/devices calls its driver, by kernel
	group   string   // of the file, by our udev rules or those of the system
}

// nodeOf returns the device file of a sensor; ok is false for a kind that has none.
func (v *visit) nodeOf(c *sensor.Config) (n node, ok bool) {
	switch c.Type {
	case sensor.I2C:
		return node{"/dev/i2c-" + c.Bus, []string{"i2c"}, "i2c"}, true
	case sensor.SPI:
		return node{"/dev/spidev" + c.Bus, []string{"spi", "spidev"}, "spi"}, true
	case sensor.GPIO:
		return node{v.first("dev", "gpiochip"), []string{"gpiochip"}, "gpio"}, true
	case sensor.IIO:
		if c.Trigger != "" || c.Buffer != 0 {
			return node{v.first("dev", "iio:device"), []string{"iio"}, "iio"}, true
		}
	case sensor.Audio:
		if len(c.Command) == 0 {
			return node{v.first("dev/snd", "pcm"), []string{"alsa"}, "audio"}, true
		}
	case sensor.Camera:
		if strings.HasPrefix(c.Device, "/dev/") {
			return node{c.Device, []string{"video4linux"}, "video"}, true
		}
		if c.Device != "" {
			return node{v.first("dev", "video"), []string{"video4linux"}, "video"}, true
		}
	}
	return node{}, false
}

// first returns the first file of a directory whose name begins so, or what it would
// be called.
func (v *visit) first(dir, prefix string) string {
	entries, _ := fs.ReadDir(v.Root, dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			return "/" + path.Join(dir, e.Name())
		}
	}
	return "/" + path.Join(dir, prefix+"0")
}

// lock is what keeps a device closed.
type lock int

const (
	open      lock = iota
	missing        // no such file: the bus is off, or its driver is not loaded
	denied         // the file's mode and groups
	forbidden      // the unit's or the container's list of devices
	busy           // somebody else has it
	silent         // nobody answers there
	stuck          // the bus is held, or a call does not return
	gone           // it was there and is not any more
	unknown
)

// locks tells the kernel's errors apart by their text, which is what is left of
// them in a status, and in errors of buses.
var locks = []struct {
	text string
	lock lock
}{
	{"is wedged", stuck},
	{"hangs", stuck},
	{"connection timed out", stuck},
	{"no such device or address", silent}, // before the shorter one
	{"remote I/O error", silent},
	{"no such device", gone},
	{"no such file or directory", missing},
	{"permission denied", denied},
	{"operation not permitted", forbidden},
	{"device or resource busy", busy},
}

func lockOf(reason string) lock {
	for _, l := range locks {
		if strings.Contains(strings.ToLower(reason), strings.ToLower(l.text)) {
			return l.lock
		}
	}
	return unknown
}

// closed says what keeps the service from opening a device file, without opening it.
// It puts what this kernel calls the file's driver in the place of n's guess.
func (v *visit) closed(n *node) lock {
	info, err := fs.Stat(v.Root, below(n.path))
	if err == nil && v.classOf(info) != "" {
		n.classes = []string{v.classOf(info)}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing
	case err != nil:
		return unknown
	case !v.may(&v.service, info, 6):
		return denied
	case v.unit.get("PrivateDevices") == "yes", !v.unit.allows(n.classes):
		return forbidden
	}
	return open
}

// explain adds a finding for a sensor behind a lock. reason is what was said of it.
func (v *visit) explain(c *sensor.Config, n *node, l lock, reason string) {
	what := func(text string) string { return fmt.Sprintf("sensor %s: %s", c.Alias, text) }
	switch l {
	case missing:
		why, fix := v.enable(c, n)
		v.add(Problem, what("there is no "+n.path), why, fix...)
	case denied:
		v.denied(what, n)
	case forbidden:
		v.forbidden(what, n)
	case busy:
		v.busy(c, what, reason)
	case silent:
		v.silent(c, what)
	case stuck:
		v.stuck(c, what, reason)
	case gone:
		v.add(Problem, what("the adapter is gone"), reason+". Plug it in again; the daemon opens it by itself")
	default:
		v.add(Problem, what("no readings"), reason)
	}
}

// denied explains EACCES: mode and groups of the file.
func (v *visit) denied(what func(string) string, n *node) {
	group, mode := "", fs.FileMode(0)
	if info, err := fs.Stat(v.Root, below(n.path)); err == nil {
		if _, gid, ok := v.Owner(info); ok {
			group = v.groupName(gid)
		}
		mode = info.Mode().Perm()
	}
	if group == "root" || group == "" || mode&0o060 != 0o060 {
		why := fmt.Sprintf("it belongs to group %s with mode %04o: the udev rules of this project, which give it to group %s, are not installed", group, mode, n.group)
		if n.group == "audio" || n.group == "video" {
			why = fmt.Sprintf("it belongs to group %s with mode %04o, and no rule of udev gives it to group %s", group, mode, n.group)
			v.add(Problem, what(v.service.name+" may not open "+n.path), why,
				fmt.Sprintf("chgrp %s %s && chmod 660 %s", n.group, n.path, n.path))
			return
		}
		v.add(Problem, what(v.service.name+" may not open "+n.path), why,
			"install -m 644 systemd/60-ragedge.rules /usr/lib/udev/rules.d/60-ragedge.rules",
			"udevadm control --reload && udevadm trigger", "systemctl restart ragedge")
		return
	}
	fix := []string{fmt.Sprintf("usermod -aG %s %s", group, v.service.name)}
	if v.unit != nil {
		fix = append(fix, "systemctl restart ragedge")
	}
	v.add(Problem, what(v.service.name+" may not open "+n.path),
		fmt.Sprintf("it belongs to group %s, which %s is not in (EACCES)", group, v.service.name), fix...)
}

// forbidden explains EPERM: a list of devices that a control group may use.
func (v *visit) forbidden(what func(string) string, n *node) {
	said := what("the service may not use " + n.path)
	switch {
	case v.unit == nil:
		v.add(Problem, said, "not its mode but a list of devices forbids it (EPERM): a container has to be given the device",
			"docker run --device "+n.path+" …")
	case v.unit.get("PrivateDevices") == "yes":
		v.add(Problem, said, "the drop-in for pushes only takes all devices away",
			"rm /etc/systemd/system/ragedge.service.d/10-push-only.conf", "systemctl daemon-reload && systemctl restart ragedge")
	case v.unit.allows(n.classes):
		v.add(Problem, said, "DeviceAllow= of the unit lets char-"+n.classes[0]+" in, but the driver was loaded after the daemon started, and systemd reads the list only then (EPERM)",
			"systemctl restart ragedge")
	default:
		class := n.classes[0]
		v.add(Problem, said, "DeviceAllow= of the unit does not list char-"+class+" (EPERM)",
			"mkdir -p /etc/systemd/system/ragedge.service.d",
			fmt.Sprintf(`printf '[Service]\nDeviceAllow=char-%s rw\nSupplementaryGroups=%s\n' > /etc/systemd/system/ragedge.service.d/40-%s.conf`, class, n.group, class),
			"systemctl daemon-reload && systemctl restart ragedge")
	}
}

// board is what the firmware calls this machine.
func (v *visit) board() string { return v.text("/proc/device-tree/model") }

func (v *visit) raspberry() bool { return strings.Contains(v.board(), "Raspberry Pi") }

// bootConfig is where a Raspberry Pi has its overlays.
func (v *visit) bootConfig() string {
	if v.exists("/boot/firmware/config.txt") || !v.exists("/boot/config.txt") {
		return "/boot/firmware/config.txt"
	}
	return "/boot/config.txt"
}

// enable says how a device file comes into being.
func (v *visit) enable(c *sensor.Config, n *node) (why string, fix []string) {
	pi, jetson := v.raspberry(), strings.Contains(v.board(), "NVIDIA") || strings.Contains(v.board(), "Jetson")
	has := func(line string) bool { return strings.Contains(v.text(v.bootConfig()), line) }
	switch c.Type {
	case sensor.I2C:
		if !v.hasDriver(n.classes) {
			fix = append(fix, "modprobe i2c-dev")
			if !v.atBoot("i2c-dev") {
				fix = append(fix, "echo i2c-dev > /etc/modules-load.d/i2c-dev.conf")
			}
		}
		why = "the bus is off, or the module i2c-dev is not loaded"
		switch {
		case pi && c.Bus != "1":
			why = "bus " + c.Bus + " of a Raspberry Pi needs an overlay of its own; bus 1, on pins 3 and 5, needs dtparam=i2c_arm=on"
			fix = append(fix, fmt.Sprintf("echo dtoverlay=i2c%s >> %s && reboot", c.Bus, v.bootConfig()))
		case pi && !has("\ndtparam=i2c_arm=on"):
			why = "I2C is off on a Raspberry Pi until it is switched on, which writes dtparam=i2c_arm=on to " + v.bootConfig()
			fix = append(fix, "raspi-config nonint do_i2c 0")
		case pi:
			why = v.bootConfig() + " has dtparam=i2c_arm=on: start the board anew if that is fresh"
			fix = append(fix, "reboot")
		case jetson:
			why = "the buses of a Jetson are on; the module i2c-dev makes their files. Pins 3 and 5 are bus 7 on an Orin, 1 on a Nano, 8 on a Xavier"
		}
		if others := v.others("i2c-"); others != "" {
			why += ". There are buses " + others
		} else if len(fix) == 0 {
			fix = append(fix, "modprobe i2c-dev")
		}
	case sensor.SPI:
		why = "SPI is off, or its driver spidev is not bound"
		switch {
		case pi:
			fix = append(fix, "raspi-config nonint do_spi 0")
		case jetson:
			fix = append(fix, "/opt/nvidia/jetson-io/jetson-io.py", "modprobe spidev")
			why = "the pins of a Jetson's 40-pin header are no SPI until jetson-io makes them so"
		default:
			fix = append(fix, "modprobe spidev")
		}
		if others := v.others("spidev"); others != "" {
			why += ". There are " + others
		}
	case sensor.GPIO:
		why, fix = "this kernel has no GPIO character device, or the chip's driver is not loaded", []string{"gpiodetect"}
	case sensor.Audio:
		why, fix = "no sound card can record: plug the microphone in; a Raspberry Pi's I2S microphone needs its overlay", []string{"arecord -l"}
	case sensor.Camera:
		why, fix = "no camera: plug it in. A Raspberry Pi's own cameras need command = [\"rpicam-vid\", …] in place of device", []string{"v4l2-ctl --list-devices"}
	case sensor.IIO:
		why, fix = "no IIO device has a buffer: its driver is not loaded", []string{"ls /sys/bus/iio/devices"}
	}
	return why, fix
}

// atBoot says whether a module is loaded whenever the board starts.
func (v *visit) atBoot(module string) bool {
	files := []string{"/etc/modules"}
	for _, dir := range []string{"/etc/modules-load.d", "/usr/lib/modules-load.d"} {
		entries, _ := fs.ReadDir(v.Root, below(dir))
		for _, e := range entries {
			files = append(files, path.Join(dir, e.Name()))
		}
	}
	return slices.ContainsFunc(files, func(file string) bool {
		return slices.Contains(strings.Fields(v.text(file)), module)
	})
}

// others lists what there is of a kind of device file, by what follows prefix.
func (v *visit) others(prefix string) string {
	entries, _ := fs.ReadDir(v.Root, "dev")
	var found []string
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), prefix); ok {
			found = append(found, rest)
		}
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}
