//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

func assembled() []string { return nil }

func use(string) {}

func dot(a, b []float32) float32 { return kernel.Dot(a, b) }

func softmax(dst, x []float32) { kernel.Softmax(dst, x) }

func gatedSum(dst, gates, regions []float32) { kernel.GatedSum(dst, gates, regions) }
