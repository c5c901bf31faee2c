package bench

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ragedge/ragedge"
)

const (
	// round is the shortest time of a round: long for the clock, and short enough
	// that many rounds are free of interruptions.
	round = 50 * time.Microsecond
	// mostRounds bounds the memory of a measurement.
	mostRounds = 1 << 13
)

// candidate is code to be timed under a kernel set.
type candidate struct {
	set string
	run func(calls int)
}

// timing is the outcome of rounds, in nanoseconds a call.
type timing struct {
	min, median float64
	rounds      int
	calls       int // in a round
}

// measure times candidates in turn, round by round, until the budget is spent or
// ctx is done; each has one round at least. The garbage collector does not run
// meanwhile. The kernel set in use is the same afterwards.
func measure(ctx context.Context, budget time.Duration, candidates ...candidate) []timing {
	end := time.Now().Add(budget)
	defer use(ragedge.KernelSet())
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	times, calls := make([][]float64, len(candidates)), make([]int, len(candidates))
	var turn time.Duration // one round of each
	for i, c := range candidates {
		use(c.set)
		t := timed(c, 1)
		for calls[i] = 1; t < round; t = timed(c, calls[i]) {
			calls[i] *= 2
		}
		times[i] = append(make([]float64, 0, mostRounds), float64(t)/float64(calls[i]))
		turn += t * time.Duration(calls[i]+max(1, calls[i]/4)) / time.Duration(calls[i])
	}
	for n := 1; n < mostRounds && ctx.Err() == nil && time.Until(end) > turn; n++ {
		for i, c := range candidates {
			use(c.set)
			// What ran before has left its data in the caches and the CPU in
			// another state of power, and threads asleep.
			c.run(max(1, calls[i]/4))
			times[i] = append(times[i], float64(timed(c, calls[i]))/float64(calls[i]))
		}
	}

	all := make([]timing, len(candidates))
	for i, t := range times {
		slices.Sort(t)
		all[i] = timing{t[0], t[len(t)/2], len(t), calls[i]}
	}
	return all
}

func timed(c candidate, calls int) time.Duration {
	start := time.Now()
	c.run(calls)
	return time.Since(start)
}

// use puts a set to use that KernelSets names.
func use(set string) {
	if err := ragedge.Use(set); err != nil {
		panic(err)
	}
}

// allocations returns how often a call of c allocates. What the rest of the
// program allocates meanwhile does not count as long as that is less than one for
// every call, or happens in some tries only.
func allocations(c candidate, calls int) int {
	defer use(ragedge.KernelSet())
	use(c.set)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	least := -1
	for range 3 {
		runtime.ReadMemStats(&before)
		c.run(calls)
		runtime.ReadMemStats(&after)
		if n := int(after.Mallocs-before.Mallocs) / calls; least < 0 || n < least {
			least = n
		}
		if least == 0 {
			break
		}
	}
	return least
}
