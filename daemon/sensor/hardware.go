package sensor

import (
	"io/fs"
	"os"
)

// Hardware is what polled sensors touch of a machine.
type Hardware struct {
	// I2C and SPI open a bus, GPIO a line.
	I2C  OpenBus
	SPI  OpenSPI
	GPIO OpenLine
	// Lines lists the names of the GPIO lines that nothing uses.
	Lines func() []string
	// Camera opens a camera, and Pictures says in which formats a device has
	// pictures that can be read.
	Camera   OpenCamera
	Pictures func(path string) (formats []string, err error)
	// Sysfs is /sys, Proc is /proc.
	Sysfs, Proc fs.FS
	// SetSysfs writes to a file of Sysfs.
	SetSysfs func(name, value string) error
	// Scans opens the buffer of an IIO device, such as iio:device0.
	Scans OpenScans
}

// Fill returns h with this machine's hardware in the place of what is nil.
func (h Hardware) Fill() Hardware {
	if h.I2C == nil {
		h.I2C = OpenI2C
	}
	if h.SPI == nil {
		h.SPI = OpenSPIDevice
	}
	if h.GPIO == nil {
		h.GPIO = OpenGPIO
	}
	if h.Lines == nil {
		h.Lines = FreeLines
	}
	if h.Sysfs == nil {
		h.Sysfs = os.DirFS("/sys")
	}
	if h.Proc == nil {
		h.Proc = os.DirFS("/proc")
	}
	if h.Camera == nil {
		h.Camera = OpenV4L2
	}
	if h.Pictures == nil {
		h.Pictures = V4L2Formats
	}
	if h.SetSysfs == nil {
		h.SetSysfs = func(name, value string) error { return os.WriteFile("/sys/"+name, []byte(value), 0) }
	}
	if h.Scans == nil {
		h.Scans = OpenIIO
	}
	return h
}

// device makes the hardware of one polled sensor; bus is that of an I2C chip.
func (h Hardware) device(c Config, bus *lazyBus) device {
	switch c.Type {
	case SPI:
		return &spiSensor{config: c, driver: spiTable[c.Driver], open: h.SPI}
	case GPIO:
		return &lineSensor{config: c, open: h.GPIO}
	case HWMon:
		return &hwmonSensor{config: c, sysfs: h.Sysfs}
	case IIO:
		return &iioSensor{config: c, sysfs: h.Sysfs}
	}
	return newI2CSensor(c, bus)
}
