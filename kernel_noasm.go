//go:build (!amd64 && !arm64) || purego

package ragedge

import "github.com/ragedge/ragedge/kernel"

func assembled() []string { return nil }

func use(string) {}

func dot(a, b []float32) float32 { return kernel.Dot(a, b) }

func maximum(x []float32, m float32) float32 { return kernel.Maximum(x, m) }

func expSum(dst, x []float32, m float32) float32 { return kernel.ExpSum(dst, x, m) }

func scale(x []float32, s float32) { kernel.Scale(x, s) }

func softmaxAtOnce(dst, x []float32) bool { return false }

func gatedSum(dst, gates, regions []float32) { kernel.GatedSum(dst, gates, regions) }
