package sensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Structs of linux/gpio.h, version 2.
type (
	chipInfo struct {
		name, label [32]byte
		lines       uint32
	}
	lineAttribute struct {
		id, _ uint32
		value uint64 // the debounce period is its first four bytes
	}
	lineConfig struct {
		flags      uint64
		attributes uint32
		_          [5]uint32
		attribute  [10]struct {
			lineAttribute
			mask uint64
		}
	}
	lineRequest struct {
		offsets  [64]uint32
		consumer [32]byte
		config   lineConfig
		lines    uint32
		buffer   uint32
		_        [5]uint32
		fd       int32
	}
	lineInfo struct {
		name, consumer [32]byte
		offset         uint32
		attributes     uint32
		flags          uint64
		attribute      [10]lineAttribute
		_              [4]uint32
	}
	lineValues struct{ bits, mask uint64 }
)

// lineEvent is the size of struct gpio_v2_line_event, and lineSequence where in it
// the number of the line's events so far is.
const (
	lineEvent    = 48
	lineSequence = 20
)

const (
	flagUsed      = 1 << 0
	flagActiveLow = 1 << 1
	flagInput     = 1 << 2
	flagEdges     = 1<<4 | 1<<5
	flagPullUp    = 1 << 8
	flagPullDown  = 1 << 9
	flagNoBias    = 1 << 10

	attributeDebounce = 3
	gpioMagic         = 0xb4
)

// line is an open line of a GPIO chip.
type line struct {
	file   *os.File
	values lineValues
	events [16 * lineEvent]byte
	edges  uint32
}

// OpenGPIO finds a line by its name on any chip and opens it as an input with
// edges through the character device.
func OpenGPIO(r LineRequest) (Line, error) {
	chips := gpioChips()
	if len(chips) == 0 {
		return nil, fmt.Errorf("%w: there is no /dev/gpiochip*", ErrUnplugged)
	}
	var problems []error
	for _, path := range chips {
		l, err := openOn(path, &r)
		if l != nil {
			return l, nil
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: no chip has a line %s: see gpioinfo for the names", ErrUnplugged, r.Name)
}

// gpioChips lists the files of the chips, each once.
func gpioChips() []string {
	all, _ := filepath.Glob("/dev/gpiochip*") // the pattern is good
	return slices.DeleteFunc(all, func(path string) bool {
		info, err := os.Lstat(path)
		return err != nil || info.Mode()&os.ModeSymlink != 0 // a second name of a chip
	})
}

// FreeLines lists the names of the lines that nothing uses, on all chips that this
// user may open.
func FreeLines() (names []string) {
	for _, path := range gpioChips() {
		chip, err := os.Open(path)
		if err != nil {
			continue
		}
		eachLine(chip, func(l *lineInfo) bool {
			if name := text(l.name[:]); name != "" && l.flags&flagUsed == 0 {
				names = append(names, name)
			}
			return true
		})
		chip.Close()
	}
	return names
}

// openOn opens the line if the chip at path has it.
func openOn(path string, r *LineRequest) (*line, error) {
	chip, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer chip.Close()
	offset, found, err := findLine(chip, r)
	if err != nil || !found {
		return nil, err
	}
	request := &lineRequest{lines: 1, config: lineConfig{flags: lineFlags(r)}}
	request.offsets[0] = offset
	copy(request.consumer[:], "ragedge")
	if r.Debounce > 0 {
		request.config.attributes = 1
		a := &request.config.attribute[0]
		a.id, a.mask = attributeDebounce, 1
		*(*uint32)(unsafe.Pointer(&a.value)) = uint32(r.Debounce / time.Microsecond)
	}
	if err := ioctl(chip, ioctlNumber[lineRequest](ioctlRead|ioctlWrite, gpioMagic, 7), unsafe.Pointer(request)); err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(int(request.fd), true); err != nil {
		unix.Close(int(request.fd))
		return nil, err
	}
	return &line{file: os.NewFile(uintptr(request.fd), r.Name)}, nil
}

func findLine(chip *os.File, r *LineRequest) (offset uint32, found bool, err error) {
	if r.Chip != "" {
		info := new(chipInfo)
		if err := ioctl(chip, ioctlNumber[chipInfo](ioctlRead, gpioMagic, 1), unsafe.Pointer(info)); err != nil {
			return 0, false, err
		}
		if r.Chip != text(info.label[:]) {
			return 0, false, nil
		}
	}
	err = eachLine(chip, func(l *lineInfo) bool {
		offset, found = l.offset, text(l.name[:]) == r.Name
		return !found
	})
	return offset, found, err
}

// eachLine calls f with every line of a chip until f returns false.
func eachLine(chip *os.File, f func(*lineInfo) bool) error {
	info := new(chipInfo)
	if err := ioctl(chip, ioctlNumber[chipInfo](ioctlRead, gpioMagic, 1), unsafe.Pointer(info)); err != nil {
		return err
	}
	for offset := range info.lines {
		l := &lineInfo{offset: offset}
		if err := ioctl(chip, ioctlNumber[lineInfo](ioctlRead|ioctlWrite, gpioMagic, 5), unsafe.Pointer(l)); err != nil {
			return err
		}
		if !f(l) {
			return nil
		}
	}
	return nil
}

func text(name []byte) string {
	name, _, _ = bytes.Cut(name, []byte{0})
	return strings.TrimSpace(string(name))
}

func lineFlags(r *LineRequest) uint64 {
	flags := uint64(flagInput | flagEdges)
	if r.ActiveLow {
		flags |= flagActiveLow
	}
	switch r.Bias {
	case PullUp:
		flags |= flagPullUp
	case PullDown:
		flags |= flagPullDown
	case PullNone:
		flags |= flagNoBias
	}
	return flags
}

func (l *line) Active() (bool, error) {
	l.values = lineValues{mask: 1}
	err := ioctl(l.file, ioctlNumber[lineValues](ioctlRead|ioctlWrite, gpioMagic, 14), unsafe.Pointer(&l.values))
	return l.values.bits&1 != 0, err
}

// Edges takes the events that wait. The kernel keeps few of them, but numbers all.
func (l *line) Edges() (uint32, error) {
	raw, err := l.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	for {
		var failed error
		if err := raw.Control(func(fd uintptr) { n, failed = unix.Read(int(fd), l.events[:]) }); err != nil {
			return 0, err
		}
		switch {
		case failed == unix.EAGAIN:
			return l.edges, nil
		case failed == unix.EINTR:
			continue
		case failed != nil:
			return 0, &os.PathError{Op: "read", Path: l.file.Name(), Err: failed}
		}
		l.take(l.events[:n])
		if n < len(l.events) {
			return l.edges, nil
		}
	}
}

// take notes the number of the newest of events.
func (l *line) take(events []byte) {
	if n := len(events) / lineEvent; n > 0 {
		l.edges = binary.NativeEndian.Uint32(events[(n-1)*lineEvent+lineSequence:])
	}
}

func (l *line) Close() error { return l.file.Close() }
