package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// resetPeak lets peakMemory begin anew, where Linux allows that.
func resetPeak() {
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peakMemory is the most memory that this process has had, as Linux says.
func peakMemory() string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "memory unknown"
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kilobytes int
			fmt.Sscan(value, &kilobytes)
			return fmt.Sprintf("%d MB at most", kilobytes>>10)
		}
	}
	return "memory unknown"
}
