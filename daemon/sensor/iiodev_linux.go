package sensor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// iioScans is the character device of an IIO device. It is read without blocking,
// and not through the runtime's poller, which wakes up for every scan.
type iioScans struct {
	path string
	fd   int
	poll [1]unix.PollFd
}

// OpenIIO opens the buffer of a device, such as iio:device0.
func OpenIIO(name string) (Scans, error) { return openScans("/dev/" + name) }

func openScans(path string) (Scans, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &iioScans{path: path, fd: fd}, nil
}

func (s *iioScans) Read(data []byte, wait time.Duration) (int, error) {
	s.poll[0] = unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN}
	n, err := unix.Poll(s.poll[:], max(int(wait/time.Millisecond), 1))
	if errors.Is(err, unix.EINTR) || err == nil && n == 0 {
		return 0, ErrTimeout
	}
	if err != nil {
		return 0, os.NewSyscallError("poll", err)
	}
	n, err = unix.Read(s.fd, data)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, ErrTimeout
	case err != nil:
		return 0, &os.PathError{Op: "read", Path: s.path, Err: err}
	case n == 0:
		return 0, fmt.Errorf("%w: %s ended", ErrUnplugged, s.path)
	}
	return n, nil
}

// clocks by their names in current_timestamp_clock.
var clocks = map[string]int32{
	"": unix.CLOCK_REALTIME, "realtime": unix.CLOCK_REALTIME, "realtime_coarse": unix.CLOCK_REALTIME_COARSE,
	"monotonic": unix.CLOCK_MONOTONIC, "monotonic_coarse": unix.CLOCK_MONOTONIC_COARSE,
	"monotonic_raw": unix.CLOCK_MONOTONIC_RAW, "boottime": unix.CLOCK_BOOTTIME, "tai": unix.CLOCK_TAI,
}

func (s *iioScans) Age(clock string, nanoseconds int64) (time.Duration, bool) {
	id, known := clocks[clock]
	var now unix.Timespec
	if !known || unix.ClockGettime(id, &now) != nil {
		return 0, false
	}
	return time.Duration(now.Nano() - nanoseconds), true
}

func (s *iioScans) Close() error { return unix.Close(s.fd) }
