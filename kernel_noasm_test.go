//go:build (!amd64 && !arm64) || purego

package ragedge

// assemblies is empty: plain Go is all there is.
var assemblies map[string]assembly
