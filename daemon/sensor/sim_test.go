package sensor

import (
	"slices"
	"syscall"
	"time"
)

// sim is a chip without physics: registers of one byte, registers of two, or
// answers to commands.
type sim struct {
	bytes   map[int]byte
	words   map[int]uint16
	answers map[string]string
	// wide chips have addresses of two bytes; mask are the bits of an address that
	// count; fixed registers cannot be written.
	wide  bool
	mask  int
	fixed []int
	wrote func(s *sim, register int, value byte)

	// restart is a transfer after which the chip does not answer for 2 ms.
	restart string
	until   time.Time

	at     int
	answer string
}

// block puts bytes into a register and those after it.
func (s *sim) block(register int, values ...byte) *sim {
	if s.bytes == nil {
		s.bytes = map[int]byte{}
	}
	for i, v := range values {
		s.bytes[register+i] = v
	}
	return s
}

func (s *sim) tx(w, r []byte) {
	switch {
	case s.answers != nil:
		if len(w) > 0 {
			s.answer = s.answers[string(w)]
		}
		copy(r, s.answer)
	case s.words != nil:
		if len(w) > 0 {
			s.at = int(w[0])
		}
		if len(w) == 3 {
			s.words[s.at] = uint16(w[1])<<8 | uint16(w[2])
		}
		if len(r) == 2 {
			r[0], r[1] = byte(s.words[s.at]>>8), byte(s.words[s.at])
		}
	default:
		s.registers(w, r)
	}
}

func (s *sim) registers(w, r []byte) {
	switch {
	case s.wide && len(w) >= 2:
		s.at, w = int(w[0])<<8|int(w[1]), w[2:]
	case len(w) > 0:
		s.at, w = int(w[0]), w[1:]
	}
	if s.mask != 0 {
		s.at &= s.mask
	}
	for i, v := range w {
		if !slices.Contains(s.fixed, s.at+i) {
			s.block(s.at+i, v)
		}
		if s.wrote != nil {
			s.wrote(s, s.at+i, v)
		}
	}
	for i := range r {
		r[i] = s.bytes[s.at+i]
	}
}

// simBus carries transfers to sims in a millisecond each. The transfer number
// fails, counted from 0, does not arrive.
type simBus struct {
	chips     map[uint16]*sim
	fails     int
	transfers int
	// noise, if set, is what every read gives.
	noise func() byte
}

func (b *simBus) Tx(addr uint16, w, r []byte) error {
	time.Sleep(time.Millisecond)
	n := b.transfers
	b.transfers++
	chip := b.chips[addr]
	if n == b.fails || chip == nil && b.noise == nil || chip != nil && time.Now().Before(chip.until) {
		return syscall.EREMOTEIO
	}
	if b.noise != nil {
		for i := range r {
			r[i] = b.noise()
		}
		return nil
	}
	chip.tx(w, r)
	if chip.restart != "" && chip.restart == string(w) {
		chip.until = time.Now().Add(2 * time.Millisecond)
	}
	return nil
}

func (b *simBus) Close() error { return nil }
