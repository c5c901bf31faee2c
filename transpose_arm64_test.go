//go:build !purego

package ragedge

var transposeBlocks = transposeNEON
