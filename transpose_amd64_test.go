//go:build !purego

package ragedge

var transposeBlocks = transposeAVX2
