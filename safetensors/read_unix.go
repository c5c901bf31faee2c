//go:build unix

package safetensors

import (
	"os"
	"syscall"
)

// O_NONBLOCK: opening a pipe that nobody writes to must not wait.
const openFlags = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
