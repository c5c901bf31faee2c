package sensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// element is how one channel lies in a scan, as its file "type" says:
// le:s12/16>>4 for 12 signed bits in 16, which begin at bit 4.
type element struct {
	name            string
	index           int // decides the order
	order           binary.ByteOrder
	signed          bool
	bits, size      int // size in bytes, of one value
	repeat, shift   int
	begin           int // in the scan
	offset, scale   float64
	sample, enabled bool
}

// parseElement reads a type.
func parseElement(text string) (element, error) {
	e := element{repeat: 1}
	var endian, sign string
	wrong := fmt.Errorf("%.40q is no type such as le:s12/16>>4", text)
	if len(text) < 4 || text[2] != ':' {
		return e, wrong
	}
	endian, sign, text = text[:2], text[3:4], text[4:]
	var storage int
	full := text
	n, _ := fmt.Sscanf(text, "%d/%d", &e.bits, &storage)
	if n != 2 {
		return e, wrong
	}
	rebuilt := fmt.Sprintf("%d/%d", e.bits, storage)
	rest := full[min(len(rebuilt), len(full)):]
	if len(rest) > 0 && rest[0] == 'X' {
		if n, _ := fmt.Sscanf(rest, "X%d", &e.repeat); n != 1 {
			return e, wrong
		}
		rebuilt += fmt.Sprintf("X%d", e.repeat)
		rest = full[min(len(rebuilt), len(full)):]
	}
	if rest != "" {
		if n, _ := fmt.Sscanf(rest, ">>%d", &e.shift); n != 1 {
			return e, wrong
		}
		rebuilt += fmt.Sprintf(">>%d", e.shift)
	}
	e.size, e.signed = storage/8, sign == "s"
	switch endian {
	case "le":
		e.order = binary.LittleEndian
	case "be":
		e.order = binary.BigEndian
	}
	if rebuilt != full || e.order == nil || sign != "s" && sign != "u" ||
		!slices.Contains([]int{8, 16, 32, 64}, storage) || e.bits < 1 || e.shift < 0 || e.bits+e.shift > storage ||
		e.repeat < 1 || e.repeat > 16 {
		return e, wrong
	}
	return e, nil
}

// layout sorts the elements of a scan, says where each begins, and returns how
// long the scan is. The kernel puts every element at a multiple of its length, and
// makes the scan a multiple of the longest.
func layout(elements []*element) (scan int) {
	slices.SortFunc(elements, func(a, b *element) int { return a.index - b.index })
	align := func(n, to int) int { return (n + to - 1) / to * to }
	longest := 1
	for _, e := range elements {
		length := e.size * e.repeat
		e.begin = align(scan, length)
		scan = e.begin + length
		longest = max(longest, length)
	}
	return align(scan, longest)
}

// raw returns the first value of the element in a scan.
func (e *element) raw(scan []byte) int64 {
	var v uint64
	switch b := scan[e.begin:]; e.size {
	case 1:
		v = uint64(b[0])
	case 2:
		v = uint64(e.order.Uint16(b))
	case 4:
		v = uint64(e.order.Uint32(b))
	default:
		v = e.order.Uint64(b)
	}
	left := 64 - e.bits
	v = v >> e.shift << left
	if e.signed {
		return int64(v) >> left
	}
	return int64(min(v>>left, math.MaxInt64))
}
