package fusion

import (
	"bufio"
	"fmt"
	"os"
)

// meminfo is where Linux says how much memory is left.
var meminfo = "/proc/meminfo"

// large is the size in bytes from which it is worth asking.
const large = 16 << 20

// checkMemory refuses what needs more bytes than the machine has left, as far as
// it says so: an error now is better than a daemon that is killed later.
func checkMemory(need int64) error {
	if need < large {
		return nil
	}
	if left, ok := available(); ok && need > left {
		return fmt.Errorf("%w: it needs %d MiB of memory and %d MiB are left", ErrTooLarge, need>>20, left>>20)
	}
	return nil
}

// available returns how many bytes can be allocated without swapping.
func available() (bytes int64, ok bool) {
	file, err := os.Open(meminfo)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, true
		}
	}
	return 0, false
}
