package bench

import (
	"context"
	"time"
)

// Figure is what was measured of one kernel or model. Rates, shares and the ratio
// are 0 where they do not apply.
type Figure struct {
	Name      string  `json:"name"`
	MinUs     float64 `json:"min_us"`
	MedianUs  float64 `json:"median_us"`
	Rounds    int     `json:"rounds"`
	MFLOP     float64 `json:"mflop,omitempty"`
	GFLOPS    float64 `json:"gflops,omitempty"`
	PeakShare float64 `json:"peak_share,omitempty"` // of the peak of the kernel set, on all threads
	GBps      float64 `json:"gb_s,omitempty"`
	LoadShare float64 `json:"load_share,omitempty"` // of the bandwidth of the level that holds the operands
	GoRatio   float64 `json:"go_ratio,omitempty"`   // plain Go's minimum over this one
	OneThread float64 `json:"one_thread,omitempty"` // one thread's minimum over this one, of several
	Allocs    int     `json:"allocs"`               // per kernel call or inference, rounded up
	Skipped   string  `json:"skipped,omitempty"`    // why nothing was measured
	Note      string  `json:"note,omitempty"`       // why something is missing
}

// generic is the kernel set of plain Go.
const generic = "generic"

// noPlainGo is the note of a figure without a ratio.
const noPlainGo = "no time to compare with plain Go; a longer --time does"

// figure times code with the kernel set in use, in turn on one thread when alone does
// the same on that, and on plain Go when that is another set and there is time for it.
// A call does so many pieces of work of so many operations, and the figure is of one
// piece.
func (r *Report) figure(
	ctx context.Context, name string, flops int64, pieces int, budget time.Duration, run, alone func(calls int),
) Figure {
	f := Figure{Name: name, MFLOP: float64(flops) / 1e6}
	candidates, threads := []candidate{{r.KernelSet, run}}, 1
	if alone != nil {
		candidates, threads = append(candidates, candidate{r.KernelSet, alone}), r.Threads
	}
	others := len(candidates)
	switch {
	case r.KernelSet == generic:
	case r.fits(generic, flops*int64(pieces), budget):
		candidates = append(candidates, candidate{generic, run})
	default:
		f.Note = noPlainGo
	}
	timings := measure(ctx, budget, candidates...)
	t := timings[0]
	each := 1e3 * float64(pieces)
	f.MinUs, f.MedianUs, f.Rounds = t.min/each, t.median/each, t.rounds
	f.Allocs = (allocations(candidates[0], t.calls) + pieces - 1) / pieces
	if flops > 0 {
		f.GFLOPS = float64(flops) / 1e3 / f.MinUs
		f.PeakShare = f.GFLOPS / (r.Peak() * float64(threads))
		for i, c := range candidates {
			r.rates[c.set] = float64(pieces) * float64(flops) / timings[i].min
		}
	}
	if alone != nil {
		f.OneThread = timings[1].min / t.min
	}
	if len(timings) > others {
		f.GoRatio = timings[others].min / t.min
	}
	return f
}

// fits reports whether a set can do so many operations within the budget, or in so
// little time that no budget is too small.
func (r *Report) fits(set string, flops int64, budget time.Duration) bool {
	const little = 5 * time.Millisecond
	return r.expect(set, flops) <= max(budget, little)
}

// expect is how long so many operations take with a set: as long as the last that
// were measured, or at its peak before there are any.
func (r *Report) expect(set string, flops int64) time.Duration {
	rate := r.rates[set]
	if rate == 0 {
		rate = r.peak(set)
	}
	return time.Duration(float64(flops) / rate)
}

// Peak returns the GFLOP/s that the kernel set in use could reach.
func (r *Report) Peak() float64 { return r.peak(r.KernelSet) }

// peak returns the GFLOP/s of a set.
func (r *Report) peak(set string) float64 {
	for _, p := range r.Peaks {
		if p.KernelSet == set {
			return p.GFLOPS
		}
	}
	return 0
}
