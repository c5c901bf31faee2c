package daemon

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is the machine's monotonic time.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// timeQuality asks the kernel whether anything keeps its clock right. A sandbox
// may refuse that question; then systemd's own mark of it is read.
func timeQuality() string {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err == nil {
		if state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
			return "unsynced"
		}
		return "ntp"
	}
	if _, err := os.Stat("/run/systemd/timesync/synchronized"); err == nil {
		return "ntp"
	}
	return "unsynced"
}
