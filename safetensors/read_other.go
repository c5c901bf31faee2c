//go:build !unix

package safetensors

import "os"

const openFlags = os.O_RDONLY
