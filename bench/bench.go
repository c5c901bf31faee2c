// Package bench measures a machine and this module on it: the peak of its
// multiply-adds and the bandwidth of its caches first, then kernels and models as
// time and as a share of what the machine can do. Everything runs on one thread, unless
// models are asked to use more.
//
// Every figure comes from many short rounds. Plain Go takes turns with the kernel
// set in use, so that the ratio of the two is one of the same moments. The minimum
// says what the code can do, the median what it did; rates and shares are those of
// the minimum.
package bench

import (
	"context"
	"io/fs"
	"time"

	"github.com/ragedge/ragedge"
)

// Options of a run.
type Options struct {
	// Time is about how long the whole run takes. Each figure has one round at
	// least; what is too large even for that is skipped, but never Model.
	Time time.Duration
	// Model is a model file to measure, "" for kernels and built-in models. Input
	// is a file of its regions in the format of fusion.State.FuseFile, "" for
	// random ones.
	Model, Input string
	// Threads is how many threads an inference may use; 0 and 1 are one.
	Threads int
	// Root is the root of the file system that says what machine this is.
	Root fs.FS
	// Progress, if not nil, is told before each step what it measures.
	Progress func(group, name string, done, all int)
}

// Report is what a run measured.
type Report struct {
	Machine   Machine  `json:"machine"`
	KernelSet string   `json:"kernel_set"`
	Threads   int      `json:"threads"`
	Before    State    `json:"before"`
	After     State    `json:"after"`
	Throttled []string `json:"throttled"` // why the figures are not the machine's; empty when they are
	Peaks     []Peak   `json:"peaks"`
	Loads     []Load   `json:"loads"`
	Kernels   []Figure `json:"kernels"`
	Models    []Figure `json:"models"`

	rates map[string]float64 // GFLOP/s that each set reached last
}

// step is one thing to measure. Its weight is its part of the time.
type step struct {
	group, name string
	weight      int
	run         func(ctx context.Context, budget time.Duration) error
}

// Run measures what the options ask for. Errors are those of the model and input
// files, of kernels that disagree with plain Go, and of ctx.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := ragedge.SelfCheck(); err != nil {
		return nil, err
	}
	r := &Report{
		Machine: readMachine(o.Root), KernelSet: ragedge.KernelSet(), Threads: max(1, o.Threads),
		Throttled: []string{}, Peaks: []Peak{}, Loads: []Load{},
		Kernels: []Figure{}, Models: []Figure{}, rates: map[string]float64{},
	}
	steps := []step{{"machine", "peak", 2, r.measurePeaks}}
	if o.Model != "" {
		subject, err := load(o.Model, o.Input)
		if err != nil {
			return nil, err
		}
		steps = append(steps, r.modelStep(subject, 10))
	} else {
		for _, level := range r.Machine.levels() {
			steps = append(steps, r.loadStep(level))
		}
		for _, k := range kernels() {
			steps = append(steps, r.kernelStep(k))
		}
		for _, w := range workloads() {
			steps = append(steps, r.modelStep(w.subject(), w.weight))
		}
	}

	r.Before = readState(o.Root)
	if err := runSteps(ctx, steps, o); err != nil {
		return nil, err
	}
	r.After = readState(o.Root)
	r.Throttled = append(r.Throttled, throttling(r.Before, r.After)...)
	return r, nil
}

// runSteps gives every step its part of the time that is left.
func runSteps(ctx context.Context, steps []step, o Options) error {
	end := time.Now().Add(o.Time)
	weight := 0
	for _, s := range steps {
		weight += s.weight
	}
	for i, s := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(s.group, s.name, i, len(steps))
		}
		left := max(time.Until(end), 0)
		if err := s.run(ctx, left*time.Duration(s.weight)/time.Duration(weight)); err != nil {
			return err
		}
		weight -= s.weight
	}
	return ctx.Err()
}
