package sensor

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeSPI answers by what is sent.
type fakeSPI struct {
	answer         func(w, r []byte) error
	opened, closed int
	hertz          int
}

func (f *fakeSPI) open(name string, hertz int) (SPIDevice, error) {
	f.opened++
	f.hertz = hertz
	return f, nil
}

func (f *fakeSPI) Tx(w, r []byte) error { return f.answer(w, r) }
func (f *fakeSPI) Close() error         { f.closed++; return nil }

// converter is a chip of Microchip: it sees the bits of 24 clocks and answers from
// the null bit on. single is where after the start bit the channel begins.
func converter(bits, channelBits, wait int, value func(channel int) int) func(w, r []byte) error {
	return func(w, r []byte) error {
		in := uint32(w[0])<<16 | uint32(w[1])<<8 | uint32(w[2])
		start := 23
		for in>>start&1 == 0 {
			start--
		}
		if in>>(start-1)&1 == 0 {
			return errors.New("a differential request")
		}
		channel := int(in >> (start - 1 - channelBits) & (1<<channelBits - 1))
		null := start - 1 - channelBits - wait - 1
		out := uint32(1<<24-1)&^(1<<(null+1)-1) | uint32(value(channel))<<(null-bits) // high until the null bit
		r[0], r[1], r[2] = byte(out>>16), byte(out>>8), byte(out)
		return nil
	}
}

func TestSPIMeasures(t *testing.T) {
	ten := func(ch int) int { return 1023 - 100*ch }
	twelve := func(ch int) int { return 4095 - 500*ch }
	for name, c := range map[string]struct {
		answer func(w, r []byte) error
		value  func(int) int
		full   float64
	}{
		// MSBF is the wait of the two small ones, the sampling clock that of the others.
		"mcp3002": {converter(10, 1, 1, ten), ten, 1024},
		"mcp3004": {converter(10, 3, 1, ten), ten, 1024},
		"mcp3008": {converter(10, 3, 1, ten), ten, 1024},
		"mcp3202": {converter(12, 1, 1, twelve), twelve, 4096},
		"mcp3204": {converter(12, 3, 1, twelve), twelve, 4096},
		"mcp3208": {converter(12, 3, 1, twelve), twelve, 4096},
	} {
		bus := &fakeSPI{answer: c.answer}
		s := onMachine(t, Config{Type: SPI, Driver: name, Bus: "0.0", Reference: 5}, Hardware{SPI: bus.open})
		require.NoError(t, measure(s), name)
		for ch, v := range s.values {
			require.InDelta(t, float64(c.value(ch))*5/c.full, v, 1e-9, "%s channel %d", name, ch)
		}
	}
}

func TestMAX31855(t *testing.T) {
	var answer [4]byte
	bus := &fakeSPI{answer: func(_, r []byte) error { copy(r, answer[:]); return nil }}
	s := onMachine(t, Config{Type: SPI, Driver: "max31855", Bus: "0.1"}, Hardware{SPI: bus.open})
	for _, c := range []struct {
		answer [4]byte
		values []float64
		want   string
	}{ // the tables of the data sheet
		{[4]byte{0x06, 0x4c, 0x19, 0x00}, []float64{100.75, 25}, ""},
		{[4]byte{0xff, 0xfc, 0xc9, 0x00}, []float64{-0.25, -55}, ""},
		{[4]byte{0xf0, 0x60, 0x7f, 0x00}, []float64{-250, 127}, ""},
		{[4]byte{0, 0, 0, 0}, nil, "answers with zeros only"},
		{[4]byte{0xff, 0xff, 0xff, 0xff}, nil, "data line hangs high"},
		{[4]byte{0, 1, 0x19, 1}, nil, "not connected"},
		{[4]byte{0, 1, 0x19, 2}, nil, "touches ground"},
	} {
		answer = c.answer
		err := measure(s)
		if c.want != "" {
			require.ErrorContains(t, err, c.want)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.values, s.values)
	}
}

func TestSPIFailures(t *testing.T) {
	bus := &fakeSPI{answer: func(_, r []byte) error { r[1], r[2] = 0xff, 0xff; return nil }}
	s := onMachine(t, Config{Type: SPI, Driver: "mcp3008", Bus: "0.0"}, Hardware{SPI: bus.open})
	require.ErrorIs(t, measure(s), errFloating, "all ones are no reading")
	bus.answer = converter(10, 3, 1, func(int) int { return 0 })
	require.NoError(t, measure(s))
	require.Equal(t, [2]int{2, 1}, [2]int{bus.opened, bus.closed}, "a failure opens it anew")

	for ordinal := range 8 {
		n := 0
		good := converter(10, 3, 1, func(int) int { return 512 })
		bus.answer = func(w, r []byte) error {
			if n++; n-1 == ordinal {
				return syscall.EIO
			}
			return good(w, r)
		}
		require.ErrorIs(t, measure(s), syscall.EIO)
	}

	for errno, want := range map[syscall.Errno]string{
		syscall.ENOENT: "there is no /dev/spidev0.0: switch the bus on",
		syscall.EACCES: "add this user to the group of /dev/spidev0.0",
		syscall.EPERM:  "allow /dev/spidev0.0 with DeviceAllow=",
	} {
		s := onMachine(t, Config{Type: SPI, Driver: "mcp3008", Bus: "0.0"}, Hardware{SPI: func(string, int) (SPIDevice, error) { return nil, errno }})
		require.ErrorContains(t, measure(s), want)
		s.device.close()
	}
}
