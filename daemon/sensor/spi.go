package sensor

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// SPIDevice carries transfers to the chip on one chip select of an SPI bus.
type SPIDevice interface {
	// Tx sends w while it receives as many bytes into r.
	Tx(w, r []byte) error
	Close() error
}

// OpenSPI opens a bus by the name it has in the configuration, such as "0.1" for
// chip select 1 of bus 0, at a clock rate in hertz.
type OpenSPI func(name string, hertz int) (SPIDevice, error)

// spiDriver describes one kind of chip.
type spiDriver struct {
	about    string
	hertz    int
	readings []reading
	read     func(d SPIDevice, c *Config, buffer *[2][4]byte, values []float64) error
}

// spiTable of the chips that a configuration can name.
var spiTable = map[string]spiDriver{
	"mcp3002":  mcp3xxx(2, 10, func(ch byte) [3]byte { return [3]byte{0, 0x68 | ch<<4, 0} }),
	"mcp3004":  mcp3xxx(4, 10, func(ch byte) [3]byte { return [3]byte{1, 0x80 | ch<<4, 0} }),
	"mcp3008":  mcp3xxx(8, 10, func(ch byte) [3]byte { return [3]byte{1, 0x80 | ch<<4, 0} }),
	"mcp3202":  mcp3xxx(2, 12, func(ch byte) [3]byte { return [3]byte{1, 0xa0 | ch<<6, 0} }),
	"mcp3204":  mcp3xxx(4, 12, func(ch byte) [3]byte { return [3]byte{6 | ch>>2, ch << 6, 0} }),
	"mcp3208":  mcp3xxx(8, 12, func(ch byte) [3]byte { return [3]byte{6 | ch>>2, ch << 6, 0} }),
	"max31855": {"thermocouple and its cold end, Maxim", 1_000_000, []reading{{"temperature", "°C"}, {"cold", "°C"}}, readMAX31855},
}

var errFloating = errors.New("the chip's data line hangs high: nothing answers, check power, cable and chip select")

// mcp3xxx describes a converter of Microchip by its request for one channel. Each
// reading is the voltage of an input, for the reference voltage of the
// configuration.
func mcp3xxx(channels, bits int, request func(channel byte) [3]byte) spiDriver {
	d := spiDriver{about: fmt.Sprintf("%d analog inputs of %d bits, Microchip", channels, bits), hertz: 500_000}
	for ch := range channels {
		d.readings = append(d.readings, reading{fmt.Sprintf("ch%d", ch), "V"})
	}
	d.read = func(device SPIDevice, c *Config, buffer *[2][4]byte, values []float64) error {
		for ch := range values {
			ask := request(byte(ch))
			w, r := buffer[0][:3], buffer[1][:3]
			copy(w, ask[:])
			if err := device.Tx(w, r); err != nil {
				return err
			}
			n := int(r[1])<<8 | int(r[2])
			if n>>bits&1 != 0 { // the bit before the number is always 0
				return errFloating
			}
			values[ch] = float64(n&(1<<bits-1)) * c.Reference / float64(int(1)<<bits)
		}
		return nil
	}
	return d
}

var (
	errOpenCircuit = errors.New("the thermocouple is not connected")
	errShort       = errors.New("the thermocouple touches ground or the supply")
	errNoChip      = errors.New("the chip answers with zeros only: check power, cable and chip select")
)

// readMAX31855 takes 32 bits: 14 of the thermocouple in 1/4 °C, 12 of the cold end
// in 1/16 °C, and faults.
func readMAX31855(device SPIDevice, _ *Config, buffer *[2][4]byte, values []float64) error {
	r := buffer[1][:]
	if err := device.Tx(buffer[0][:], r); err != nil {
		return err
	}
	n := uint32(r[0])<<24 | uint32(r[1])<<16 | uint32(r[2])<<8 | uint32(r[3])
	switch {
	case n == 0:
		return errNoChip
	case n&(1<<17|1<<3) != 0: // bits that are always 0
		return errFloating
	case n&1 != 0:
		return errOpenCircuit
	case n&6 != 0:
		return errShort
	}
	values[0] = float64(int32(n)>>18) / 4
	values[1] = float64(int32(n<<16)>>20) / 16
	return nil
}

// spiSensor is a chip on an SPI bus, as its poller sees it.
type spiSensor struct {
	config Config
	driver spiDriver
	open   OpenSPI
	device SPIDevice // nil while closed
	buffer [2][4]byte
}

func (s *spiSensor) String() string { return s.config.Driver + " on SPI bus " + s.config.Bus }

func (s *spiSensor) close() {
	if s.device != nil {
		s.device.Close()
		s.device = nil
	}
}

// configure opens the bus anew.
func (s *spiSensor) configure() (settle time.Duration, err error) {
	s.close()
	if s.device, err = s.open(s.config.Bus, s.driver.hertz); err != nil {
		s.device = nil
		return 0, spiFailure(s.config.Bus, err)
	}
	return 0, nil
}

func (s *spiSensor) read(values []float64) error {
	return s.driver.read(s.device, &s.config, &s.buffer, values)
}

func spiFailure(bus string, err error) error {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "no such file or directory"):
		return fmt.Errorf("%w: there is no /dev/spidev%s: switch the bus on (on a Raspberry Pi dtparam=spi=on)", ErrUnplugged, bus)
	case strings.HasSuffix(text, "permission denied"):
		return fmt.Errorf("%w: add this user to the group of /dev/spidev%s", err, bus)
	case strings.HasSuffix(text, "operation not permitted"):
		return fmt.Errorf("%w: allow /dev/spidev%s with DeviceAllow= in the unit", err, bus)
	}
	return err
}
