package sensor

import "errors"

var errChecksum = errors.New("the checksum of the answer is wrong: noise on the bus, check the cable and the pull-ups")

// crc8 is the checksum of Sensirion's and Aosong's chips: polynomial 0x31, begun
// with 0xff.
func crc8(data []byte) byte {
	crc := byte(0xff)
	for _, b := range data {
		crc ^= b
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// words is the bus of a chip that answers in words of two bytes, each with its
// checksum, whose driver does not look at them.
type words struct {
	*transfers
	answer [18]byte
}

func (b *words) Tx(addr uint16, w, r []byte) error {
	n := (len(r) + 2) / 3 * 3
	if n > len(b.answer) {
		return b.transfers.Tx(addr, w, r)
	}
	answer := b.answer[:n]
	b.transfers.Tx(addr, w, answer)
	for i := 0; i < n; i += 3 {
		if crc8(answer[i:i+2]) != answer[i+2] {
			b.abandon(errChecksum)
		}
	}
	copy(r, answer)
	return nil
}

// trailer is the bus of a chip whose answers of size bytes end in a checksum.
type trailer struct {
	*transfers
	size int
}

func (b *trailer) Tx(addr uint16, w, r []byte) error {
	b.transfers.Tx(addr, w, r)
	if n := len(r) - 1; len(r) == b.size && crc8(r[:n]) != r[n] {
		b.abandon(errChecksum)
	}
	return nil
}
