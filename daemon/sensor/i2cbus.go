package sensor

import (
	"fmt"
	"strconv"

	"periph.io/x/host/v3/sysfs"
)

// OpenI2C opens /dev/i2c-N, where N is the name, through periph.
func OpenI2C(name string) (Bus, error) {
	n, err := strconv.Atoi(name)
	if err != nil {
		return nil, fmt.Errorf("I2C bus %q is not a number", name)
	}
	bus, err := sysfs.NewI2C(n)
	if err != nil {
		return nil, err
	}
	return still{bus}, nil
}

// still makes a bus's transfers while the goroutine's stack cannot move.
//
// sysfs.I2C.Tx puts its ioctl's structs on the stack and passes their address
// on as an integer. When the runtime moves the stack before the system call, to
// grow or to shrink it, it corrects pointers but no integers, and the kernel
// would follow an address into freed memory.
type still struct{ Bus }

// reserve is more than the calls below Tx need of the stack.
const reserve = 16 << 10

// Tx first makes the stack grow by reserve below its own frame, so that nothing
// it calls makes it grow. Its own frame of that size fills a quarter of such a
// stack, and the garbage collector shrinks only stacks that are used less.
func (b still) Tx(addr uint16, w, r []byte) error {
	var frame [reserve]byte
	touch(&frame)
	return b.Bus.Tx(addr, w, r)
}

//go:noinline
func touch(above *[reserve]byte) {
	var frame [reserve]byte
	copy(frame[:], above[:1])
	above[0] = frame[reserve-1]
}
