//go:build !linux

package sensor

import (
	"errors"
	"fmt"
)

// OpenSPIDevice needs Linux.
func OpenSPIDevice(string, int) (SPIDevice, error) {
	return nil, fmt.Errorf("SPI: %w", errors.ErrUnsupported)
}

// OpenGPIO needs Linux.
func OpenGPIO(LineRequest) (Line, error) {
	return nil, fmt.Errorf("GPIO: %w", errors.ErrUnsupported)
}

// FreeLines needs Linux.
func FreeLines() []string { return nil }
