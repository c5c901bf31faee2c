//go:build !linux

package sensor

import (
	"errors"
	"fmt"
)

// OpenV4L2 needs Linux.
func OpenV4L2(string) (CameraDevice, error) {
	return nil, fmt.Errorf("camera: %w", errors.ErrUnsupported)
}

// V4L2Formats needs Linux.
func V4L2Formats(string) ([]string, error) {
	return nil, fmt.Errorf("camera: %w", errors.ErrUnsupported)
}

// OpenIIO needs Linux.
func OpenIIO(string) (Scans, error) {
	return nil, fmt.Errorf("iio: %w", errors.ErrUnsupported)
}
