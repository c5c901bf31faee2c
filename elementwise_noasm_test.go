//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

// elementwiseAssemblies is empty: plain Go is all there is.
var elementwiseAssemblies map[string]kerneltest.Elementwise
