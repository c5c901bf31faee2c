package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
)

const (
	reload    = "systemctl daemon-reload && systemctl restart ragedge"
	restart   = "systemctl restart ragedge"
	ourLog    = "journalctl -u ragedge -n 20 --no-pager"
	longLog   = "journalctl -u ragedge -n 50 --no-pager"
	dropInDir = "mkdir -p /etc/systemd/system/ragedge.service.d"
)

const door = "[[sensor]]\nalias = \"door\"\ntype = \"gpio\"\nline = \"GPIO71\"\n"

// bus puts a bus with these answers into the machine.
func bus(b *chips) func(testing.TB, *Machine, *Case) {
	return func(_ testing.TB, m *Machine, _ *Case) {
		m.Hardware.I2C = func(string) (sensor.Bus, error) { return b, nil }
	}
}

// opens makes every device fail to open.
func opens(err error) func(testing.TB, *Machine, *Case) {
	return func(_ testing.TB, m *Machine, _ *Case) {
		m.Open = func(path string) error { return &fs.PathError{Op: "open", Path: path, Err: err} }
	}
}

func failing(alias, state, reason string) func(testing.TB, *Machine, *Case) {
	return status(api.SensorStatus{Alias: alias, State: state, Reason: "sensor " + alias + ": " + reason})
}

func problem(what, why string, fix ...string) Finding { return Finding{Problem, what, why, fix} }

func allScenes() []scene {
	return slices.Concat(deviceScenes(), busScenes(), lineScenes(), unitScenes(), hostScenes(), brokerScenes())
}

func deviceScenes() []scene {
	noI2C := "Character devices:\n254 gpiochip\n\nBlock devices:\n 89 i2c\n"
	return []scene{
		{name: "I2C is off on a Pi", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "proc/devices": file(noI2C)},
			want:  problem("sensor desk: there is no /dev/i2c-1", "dtparam=i2c_arm=on to /boot/firmware/config.txt", "modprobe i2c-dev", "raspi-config nonint do_i2c 0")},
		{name: "an older Pi", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "boot/firmware/config.txt": nil, "boot/config.txt": file("x\ndtparam=i2c_arm=on\n"), "proc/devices": file(noI2C)},
			want:  problem("sensor desk: there is no /dev/i2c-1", "/boot/config.txt has dtparam", "modprobe i2c-dev", "reboot")},
		{name: "another bus of a Pi", config: "[[sensor]]\nalias = \"desk\"\ntype = \"i2c\"\ndriver = \"bh1750\"\nbus = \"4\"\n",
			want: problem("sensor desk: there is no /dev/i2c-4", "There are buses 1", "echo dtoverlay=i2c4 >> /boot/firmware/config.txt && reboot")},
		{name: "a Jetson", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "dev/i2c-7": device(groupI2C, 0o660), "proc/device-tree/model": file("NVIDIA Jetson Orin Nano")},
			want:  problem("sensor desk: there is no /dev/i2c-1", "bus 7 on an Orin")},
		{name: "a Jetson without i2c-dev", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "proc/devices": file(noI2C), "proc/device-tree/model": file("NVIDIA Jetson Orin Nano")},
			want:  problem("sensor desk: there is no /dev/i2c-1", "the module i2c-dev makes their files", "modprobe i2c-dev")},
		{name: "i2c-dev is not loaded at the start", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "proc/devices": file(noI2C), "proc/device-tree/model": nil, "usr/lib/modules-load.d/ragedge.conf": nil},
			want:  problem("sensor desk: there is no /dev/i2c-1", "the bus is off", "modprobe i2c-dev", "echo i2c-dev > /etc/modules-load.d/i2c-dev.conf")},
		{name: "any board", config: light,
			files: fstest.MapFS{"dev/i2c-1": nil, "proc/device-tree/model": nil},
			want:  problem("sensor desk: there is no /dev/i2c-1", "the bus is off", "modprobe i2c-dev")},
		{name: "SPI is off on a Pi", config: "[[sensor]]\nalias = \"adc\"\ntype = \"spi\"\ndriver = \"mcp3008\"\nbus = \"0.0\"\n",
			files: fstest.MapFS{"dev/spidev0.0": nil},
			want:  problem("sensor adc: there is no /dev/spidev0.0", "SPI is off", "raspi-config nonint do_spi 0")},
		{name: "SPI on a Jetson", config: "[[sensor]]\nalias = \"adc\"\ntype = \"spi\"\ndriver = \"mcp3008\"\nbus = \"0.0\"\n",
			files: fstest.MapFS{"dev/spidev0.0": nil, "proc/device-tree/model": file("NVIDIA Jetson Orin Nano")},
			want:  problem("sensor adc: there is no /dev/spidev0.0", "jetson-io", "/opt/nvidia/jetson-io/jetson-io.py", "modprobe spidev")},
		{name: "no camera", config: "[[sensor]]\nalias = \"eye\"\ntype = \"camera\"\ndevice = \"/dev/video0\"\n",
			want: problem("sensor eye: there is no /dev/video0", "rpicam-vid", "v4l2-ctl --list-devices")},

		{name: "not in the group", config: light, unit: map[string]string{"SupplementaryGroups": "spi gpio iio"},
			want: problem("sensor desk: ragedge may not open /dev/i2c-1", "group i2c, which ragedge is not in (EACCES)", "usermod -aG i2c ragedge", restart)},
		{name: "in the group by the list of groups", config: light, unit: map[string]string{"SupplementaryGroups": "spi gpio iio"},
			files: fstest.MapFS{"etc/group": file("i2c:x:101:bob,ragedge\nspi:x:103:\ngpio:x:102:\niio:x:104:\nragedge:x:900:\n")},
			none:  "sensor desk: ragedge may not open"},
		{name: "no udev rule", config: light, files: fstest.MapFS{"dev/i2c-1": device(0, 0o600)},
			want: problem("sensor desk: ragedge may not open /dev/i2c-1", "group root with mode 0600: the udev rules of this project",
				"install -m 644 systemd/60-ragedge.rules /usr/lib/udev/rules.d/60-ragedge.rules", "udevadm control --reload && udevadm trigger", restart)},
		{name: "a camera without a rule", config: "[[sensor]]\nalias = \"eye\"\ntype = \"camera\"\ndevice = \"/dev/video0\"\n",
			files: fstest.MapFS{"dev/video0": device(0, 0o600)},
			want:  problem("sensor eye: ragedge may not open /dev/video0", "no rule of udev", "chgrp video /dev/video0 && chmod 660 /dev/video0")},
		{name: "the unit does not list it", config: "[[sensor]]\nalias = \"eye\"\ntype = \"camera\"\ndevice = \"/dev/video0\"\n",
			files: fstest.MapFS{"dev/video0": device(groupVideo, 0o660)}, unit: map[string]string{"SupplementaryGroups": "i2c spi gpio iio video"},
			want: problem("sensor eye: the service may not use /dev/video0", "does not list char-video4linux (EPERM)", dropInDir,
				`printf '[Service]\nDeviceAllow=char-video4linux rw\nSupplementaryGroups=video\n' > /etc/systemd/system/ragedge.service.d/40-video4linux.conf`, reload)},
		{name: "the kernel has another name for it", config: light,
			files: fstest.MapFS{"proc/devices": file("Character devices:\n 89 i2c-next\n\nBlock devices:\n 89 i2c\n")},
			want: problem("sensor desk: the service may not use /dev/i2c-1", "does not list char-i2c-next (EPERM)", dropInDir,
				`printf '[Service]\nDeviceAllow=char-i2c-next rw\nSupplementaryGroups=i2c\n' > /etc/systemd/system/ragedge.service.d/40-i2c-next.conf`, reload)},
		{name: "pushes only", config: light, unit: map[string]string{"PrivateDevices": "yes", "DeviceAllow": ""},
			want: problem("sensor desk: the service may not use /dev/i2c-1", "pushes only", "rm /etc/systemd/system/ragedge.service.d/10-push-only.conf", reload)},
		{name: "no rules, no lock", config: light, unit: map[string]string{"DevicePolicy": "auto", "DeviceAllow": ""}, none: "the service may not use"},
		{name: "a container", config: light, unit: map[string]string{"LoadState": "not-found"}, edit: opens(syscall.EPERM),
			want: problem("sensor desk: the service may not use /dev/i2c-1", "a container has to be given the device", "docker run --device /dev/i2c-1 …")},
		{name: "by hand and not in the group", config: light, unit: map[string]string{"LoadState": "not-found"},
			edit: func(_ testing.TB, m *Machine, _ *Case) { m.UID, m.Groups = 1000, []int{1000} },
			want: problem("sensor desk: ann may not open /dev/i2c-1", "which ann is not in", "usermod -aG i2c ann")},
		{name: "the asker may not, the service may", config: light, edit: opens(syscall.EACCES),
			want: Finding{Note, "sensor desk: root may not open /dev/i2c-1, but the service may", "as root", nil}},

		{name: "the driver came after the daemon", config: light, edit: failing("desk", "down", "bh1750 at 0x23 on I2C bus 1: operation not permitted; the service may not use"),
			want: problem("sensor desk: the service may not use /dev/i2c-1", "loaded after the daemon started", restart)},
		{name: "the group came after the daemon", config: light, edit: failing("desk", "down", "permission denied; this user may not open"),
			want: problem("sensor desk: the daemon may not open /dev/i2c-1, but would after a restart", "when it starts", restart)},
		{name: "the bus came after the daemon", config: light, edit: failing("desk", "down", "no such file or directory; there is no /dev/i2c-1"),
			want: Finding{Note, "sensor desk: /dev/i2c-1 is there by now", "by itself", nil}},
		{name: "unplugged while it runs", config: light, edit: failing("desk", "down", "no such device; the adapter is gone"),
			want: problem("sensor desk: the adapter is gone", "Plug it in again")},
		{name: "something else", config: light, edit: failing("desk", "degraded", "frozen: 21.5 for 10m"),
			want: problem("sensor desk: no readings", "frozen: 21.5 for 10m")},
		{name: "edited and not reloaded", config: light, edit: status(),
			want: Finding{Warning, "sensor desk: the daemon does not have it", "not reloaded", []string{"systemctl reload ragedge"}}},
		{name: "nothing yet", config: light, edit: failing("desk", "probing", ""),
			want: Finding{Note, "sensor desk: nothing has come yet", "", nil}},
	}
}

func busScenes() []scene {
	return []scene{
		{name: "nobody answers", config: light, edit: bus(&chips{answer: map[uint16]bool{0x5c: true, 0x76: true}, errno: syscall.EREMOTEIO}),
			want: problem("sensor desk: nothing answers at address 0x23 on I2C bus 1", "On this bus answer: 0x5c, where bh1750 may be; 0x76.", "i2cdetect -y 1")},
		{name: "nobody at all", config: light, edit: bus(&chips{errno: syscall.ENXIO}),
			want: problem("sensor desk: nothing answers at address 0x23 on I2C bus 1", "No known chip answers on this bus.", "i2cdetect -y 1")},
		{name: "the daemon says that nobody answers", config: light, edit: failing("desk", "down", "remote I/O error; nothing answers: check"),
			want: problem("sensor desk: nothing answers at address 0x23 on I2C bus 1", "check power", "i2cdetect -y 1")},
		{name: "a driver of the kernel has it", config: light,
			files: fstest.MapFS{"sys/bus/i2c/devices/1-0023/driver": link("../../../bus/i2c/drivers/bh1750"), "sys/bus/i2c/devices/1-0023/iio:device0": file("")},
			want: problem("sensor desk: the kernel's driver bh1750 has address 0x23 on bus 1", `read it with type = "iio" and driver = "bh1750"`,
				"echo 1-0023 > /sys/bus/i2c/drivers/bh1750/unbind")},
		{name: "somebody else has it", config: light, edit: failing("desk", "down", "device or resource busy; a driver"),
			want: problem("sensor desk: somebody else has the device", "busy", "fuser -v /dev/i2c-1")},
		{name: "the bus is stuck", config: light, edit: bus(&chips{errno: syscall.ETIMEDOUT}),
			want: problem("sensor desk: I2C bus 1 is stuck", "A chip holds the lines", "systemctl stop ragedge", "modprobe -r i2c_bcm2835 && modprobe i2c_bcm2835", "systemctl start ragedge")},
		{name: "the bus hangs", config: light, edit: func(t testing.TB, m *Machine, c *Case) {
			hang := make(chan struct{})
			t.Cleanup(func() { close(hang) })
			m.Patience = 20 * time.Millisecond
			bus(&chips{errno: syscall.EIO, hang: hang})(t, m, c)
		},
			want: problem("sensor desk: I2C bus 1 is stuck", "hangs", "systemctl stop ragedge", "modprobe -r i2c_bcm2835 && modprobe i2c_bcm2835", "systemctl start ragedge")},
		{name: "wedged", config: light, files: fstest.MapFS{"sys/bus/i2c/devices/i2c-1": nil},
			edit: failing("desk", "wedged", "I2C bus 1 is wedged: a read of sensor desk has not returned"),
			want: problem("sensor desk: I2C bus 1 is stuck", "built into the kernel", "reboot")},
		{name: "two on a wedged bus", config: light + "[[sensor]]\nalias = \"air\"\ntype = \"i2c\"\ndriver = \"bme280\"\nbus = \"1\"\n",
			edit: func(t testing.TB, m *Machine, c *Case) {
				const reason = "I2C bus 1 is wedged: a read of sensor desk has not returned"
				status(api.SensorStatus{Alias: "desk", State: "wedged", Reason: reason}, api.SensorStatus{Alias: "air", State: "wedged", Reason: reason})(t, m, c)
			},
			want: problem("sensors desk, air: I2C bus 1 is stuck", "wedged", "systemctl stop ragedge", "modprobe -r i2c_bcm2835 && modprobe i2c_bcm2835", "systemctl start ragedge")},
		{name: "another error", config: light, edit: bus(&chips{errno: syscall.EIO}),
			want: problem("sensor desk: no readings", "input/output error")},
		{name: "a daemon that may run is not disturbed", config: light, edit: func(t testing.TB, m *Machine, c *Case) {
			status()(t, m, c)
			c.Status, c.Silence = nil, errors.New("i/o timeout")
		}, want: problem("the daemon does not answer", "left alone", longLog, restart)},
		{name: "no device of the kernel", config: "[[sensor]]\nalias = \"air\"\ntype = \"iio\"\ndriver = \"bme680\"\nchannels = { temp = \"t\" }\n",
			want: problem("sensor air: the kernel has no device bme680", "/sys/bus/iio/devices there are: scd4x", "ragedge sensors scan")},
		{name: "no arecord", config: "[[sensor]]\nalias = \"ear\"\ntype = \"audio\"\ndevice = \"hw:0\"\n",
			files: fstest.MapFS{"dev/snd/pcmC0D0c": device(29, 0o660), "etc/group": file("audio:x:29:ragedge\ni2c:x:1:\nspi:x:2:\ngpio:x:3:\niio:x:4:\n")},
			unit:  map[string]string{"DeviceAllow": "char-alsa rw"},
			edit: func(_ testing.TB, m *Machine, _ *Case) {
				m.LookPath = func(string) (string, error) { return "", errors.New("not found in $PATH") }
			},
			want: problem("sensor ear: the program arecord cannot be run", "not found", "apt-get install alsa-utils")},
	}
}

func lineScenes() []scene {
	line := func(err error) func(testing.TB, *Machine, *Case) {
		return func(_ testing.TB, m *Machine, _ *Case) {
			m.Hardware.GPIO = func(sensor.LineRequest) (sensor.Line, error) { return nil, err }
		}
	}
	return []scene{
		{name: "no such line", config: door, edit: line(fmt.Errorf("%w: no chip has a line", sensor.ErrUnplugged)),
			want: problem("sensor door: there is no GPIO line GPIO71", "Close to it are: GPIO17, GPIO27", "gpioinfo")},
		{name: "line in use", config: door, edit: line(syscall.EBUSY),
			files: fstest.MapFS{"sys/kernel/debug/gpio": file("gpiochip0: GPIOs 512-569:\n gpio-583 (GPIO71              |w1                  ) in  hi\n")},
			want:  problem("sensor door: GPIO line GPIO71 is used by w1", "one user at a time", "gpioinfo")},
		{name: "line in use by somebody", config: door, edit: line(syscall.EBUSY),
			want: problem("sensor door: GPIO line GPIO71 is used by another program or driver", "one user at a time", "gpioinfo")},
		{name: "no chip", config: door, files: fstest.MapFS{"dev/gpiochip0": nil},
			want: problem("sensor door: there is no /dev/gpiochip0", "no GPIO character device", "gpiodetect")},
	}
}
