package sensor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers of ioctls as asm-generic/ioctl.h makes them, which holds on ARM, x86 and
// RISC-V.
const (
	ioctlWrite = 1
	ioctlRead  = 2
)

func ioctlNumber[T any](direction, kind, number uintptr) uintptr {
	var argument T
	return direction<<30 | unsafe.Sizeof(argument)<<16 | kind<<8 | number
}

// ioctl calls a device; argument must be on the heap, where it does not move.
func ioctl(f *os.File, number uintptr, argument unsafe.Pointer) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, number, uintptr(argument))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return &os.PathError{Op: "ioctl", Path: f.Name(), Err: errno}
	}
	return nil
}
