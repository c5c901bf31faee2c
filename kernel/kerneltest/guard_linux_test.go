package kerneltest

import (
	"testing"
	"unsafe"

	"github.com/ragedge/ragedge/kernel"
)

func TestGuardFaults(t *testing.T) {
	plant(t, map[string]fault{
		"dot that reads on": {guardPages, withDot(func(a, b []float32) float32 {
			n := min(len(a), len(b))
			return kernel.Dot(a[:n], b[:n]) + 0*beyond(a[:n])[n]
		})},
		"softmax that reads before": {guardPages, withSoftmax(func(dst, x []float32) {
			if len(x) > 0 {
				dst[0] = *(*float32)(unsafe.Add(unsafe.Pointer(&x[0]), -4))
			}
			kernel.Softmax(dst, x)
		})},
		"gated sum that reads on": {guardPages, withGatedSum(func(dst, gates, regions []float32) {
			kernel.GatedSum(dst, gates, regions)
			if len(regions) > 0 {
				dst[0] += 0 * beyond(regions)[len(regions)]
			}
		})},
		"kernels that read nothing": {guardsFault, Impl{
			func(a, b []float32) float32 { return 0 }, func(dst, x []float32) {}, func(dst, gates, regions []float32) {},
		}},
	})
}
