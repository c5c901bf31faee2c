package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/ragedge/ragedge"
)

// Peak is the most operations that a kernel set could do in a second: multiply-adds
// of registers, without loads.
type Peak struct {
	KernelSet string  `json:"kernel_set"`
	GFLOPS    float64 `json:"gflops"`
	MedianUs  float64 `json:"median_us"`
	MinUs     float64 `json:"min_us"`
}

// Load is how fast the kernel set in use can read a buffer that one level of the
// memory holds.
type Load struct {
	Level string  `json:"level"`                 // L1, L2 or memory
	Holds int     `json:"holds_bytes,omitempty"` // 0: any number
	Bytes int     `json:"bytes"`                 // of the buffer
	GBps  float64 `json:"gb_s"`
}

// measurePeaks measures every kernel set of this CPU, so that what one set reaches
// can be held against another's peak.
func (r *Report) measurePeaks(ctx context.Context, budget time.Duration) error {
	const multiplyAdds = 12 << 16 // whole blocks of every set
	var candidates []candidate
	for _, set := range ragedge.KernelSets() {
		candidates = append(candidates, candidate{set, func(calls int) {
			for range calls {
				ragedge.ProbeFMA(multiplyAdds)
			}
		}})
	}
	for i, t := range measure(ctx, budget, candidates...) {
		r.Peaks = append(r.Peaks, Peak{candidates[i].set, 2 * multiplyAdds / t.min, t.median / 1e3, t.min / 1e3})
	}
	return nil
}

// loadStep measures the loads from one level.
func (r *Report) loadStep(l level) step {
	return step{"machine", "loads from " + l.name, 1, func(ctx context.Context, budget time.Duration) error {
		x := ramp(l.bytes / 4)
		times := max(1, 1<<20/l.bytes)
		bytes := ragedge.ProbeLoads(x, times)
		if bytes == 0 {
			return fmt.Errorf("loads from %s: %d bytes are too few", l.name, l.bytes)
		}
		t := measure(ctx, budget, candidate{r.KernelSet, func(calls int) {
			for range calls {
				ragedge.ProbeLoads(x, times)
			}
		}})[0]
		r.Loads = append(r.Loads, Load{l.name, l.holds, l.bytes, float64(bytes) / t.min})
		return nil
	}}
}

// bandwidth returns the GB/s of the first level that holds so many bytes.
func (r *Report) bandwidth(bytes int) float64 {
	for _, l := range r.Loads {
		if bytes <= l.Holds || l.Holds == 0 {
			return l.GBps
		}
	}
	return 0
}

// ramp returns n values between -4 and 4.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*37%101)/12.5 - 4
	}
	return x
}
