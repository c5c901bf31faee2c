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
	// Sysfs is /sys.
	Sysfs fs.FS
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
