//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

// elementwiseAssembly is nil: plain Go is all there is.
var elementwiseAssembly *kerneltest.Elementwise
