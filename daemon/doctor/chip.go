package doctor

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// tryChip reads one byte at the address of an I2C chip, where no driver of the
// kernel has it.
func (v *visit) tryChip(c *sensor.Config) error {
	if driver := v.kernelDriver(c.Bus, c.Address); driver != "" {
		return fmt.Errorf("the kernel's driver %s has the address: device or resource busy", driver)
	}
	if !v.mayTouch() {
		return nil
	}
	return v.onBus(c.Bus, func(b sensor.Bus) error { return b.Tx(c.Address, nil, make([]byte, 1)) })
}

func (v *visit) onBus(name string, use func(sensor.Bus) error) error {
	return v.within(func() error {
		bus, err := v.Hardware.I2C(name)
		if err != nil {
			return err
		}
		defer bus.Close()
		return use(bus)
	})
}

// chipDir is the kernel's directory of a chip that it knows of.
func chipDir(bus string, address uint16) string {
	return fmt.Sprintf("/sys/bus/i2c/devices/%s-%04x", bus, address)
}

// kernelDriver names the driver of the kernel that has an address, "" when none has.
func (v *visit) kernelDriver(bus string, address uint16) string {
	return v.target(chipDir(bus, address) + "/driver")
}

// busy explains EBUSY.
func (v *visit) busy(c *sensor.Config, what func(string) string, reason string) {
	driver := ""
	if c.Type == sensor.I2C {
		driver = v.kernelDriver(c.Bus, c.Address)
	}
	if driver == "" {
		fix := "fuser -v /dev/i2c-" + c.Bus
		switch c.Type {
		case sensor.GPIO:
			fix = "gpioinfo"
		case sensor.Audio:
			fix = "fuser -v /dev/snd/*"
		case sensor.Camera:
			fix = "fuser -v /dev/video*"
		case sensor.SPI:
			fix = "fuser -v /dev/spidev" + c.Bus
		}
		v.add(Problem, what("somebody else has the device"), reason, fix)
		return
	}
	dir, instead := chipDir(c.Bus, c.Address), "Unbinding lasts until the board starts again: take its overlay out as well"
	for _, kind := range []string{sensor.IIO, sensor.HWMon} {
		if v.exists(path.Join(dir, kind)) || kind == sensor.IIO && v.exists(path.Join(dir, "iio:device0")) {
			instead = fmt.Sprintf("Or leave it there, and read it with type = %q and driver = %q", kind, driver)
		}
	}
	v.add(Problem, what(fmt.Sprintf("the kernel's driver %s has address %#02x on bus %s", driver, c.Address, c.Bus)),
		"both would talk to the chip at once. "+instead,
		fmt.Sprintf("echo %s > /sys/bus/i2c/drivers/%s/unbind", path.Base(dir), driver))
}

// silent explains ENXIO and EREMOTEIO: no acknowledgement.
func (v *visit) silent(c *sensor.Config, what func(string) string) {
	if c.Type != sensor.I2C {
		v.add(Problem, what("the device does not answer"), "check power and cable")
		return
	}
	why := "check power, the cable (SDA and SCL swapped?) and the pins that set the address."
	if v.mayTouch() {
		why += " " + v.whoAnswers(c)
	}
	v.add(Problem, what(fmt.Sprintf("nothing answers at address %#02x on I2C bus %s", c.Address, c.Bus)), why,
		"i2cdetect -y "+c.Bus)
}

// whoAnswers says what does answer on the bus of a chip that does not. It reads one
// byte at the addresses that known chips can have, as ragedge sensors scan does.
func (v *visit) whoAnswers(c *sensor.Config) string {
	chips := map[uint16][]string{}
	for _, kind := range sensor.Catalogue() {
		for _, d := range kind.Drivers {
			for _, a := range d.Addresses {
				chips[a] = append(chips[a], d.Name)
			}
		}
	}
	var answers []string
	err := v.onBus(c.Bus, func(b sensor.Bus) error {
		for a := uint16(0x08); a <= 0x77; a++ {
			if names := chips[a]; names == nil || v.kernelDriver(c.Bus, a) != "" || b.Tx(a, nil, make([]byte, 1)) != nil {
				continue
			} else if slices.Contains(names, c.Driver) {
				answers = append(answers, fmt.Sprintf("%#02x, where %s may be", a, c.Driver))
			} else {
				answers = append(answers, fmt.Sprintf("%#02x", a))
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "The bus could not be searched: " + err.Error() + "."
	case len(answers) == 0:
		return "No known chip answers on this bus."
	}
	return "On this bus answer: " + strings.Join(answers, "; ") + "."
}

// stuck explains ETIMEDOUT, and a read that never returned.
func (v *visit) stuck(c *sensor.Config, what func(string) string, reason string) {
	if c.Type != sensor.I2C {
		v.add(Problem, what("the device does not return from a call"), reason+". Switch its power off and on; only a restart of the board frees a call that hangs in the kernel", "reboot")
		return
	}
	why := reason + ". A chip holds the lines of the bus down, often after a reset in the middle of a byte: switch the power of the chips on this bus off and on first"
	module := v.adapterModule(c.Bus)
	if module == "" {
		v.add(Problem, what("I2C bus "+c.Bus+" is stuck"), why+". The adapter's driver is built into the kernel: only a restart of the board loads it again", "reboot")
		return
	}
	v.add(Problem, what("I2C bus "+c.Bus+" is stuck"), why+". If that does not help, load the adapter's driver again, and if that hangs, restart the board",
		"systemctl stop ragedge", fmt.Sprintf("modprobe -r %s && modprobe %s", module, module), "systemctl start ragedge")
}

// adapterModule is the kernel module that drives a bus, "" for one that is built in.
// The bus is a child of the device that has the driver.
func (v *visit) adapterModule(bus string) string {
	link, err := v.link("/sys/bus/i2c/devices/i2c-" + bus)
	if err != nil {
		return ""
	}
	device := path.Dir(path.Join("/sys/bus/i2c/devices", link))
	driver, err := v.link(device + "/driver")
	if err != nil {
		return ""
	}
	return v.target(path.Join(device, driver, "module"))
}
