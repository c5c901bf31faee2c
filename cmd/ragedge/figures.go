package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/result"
)

// tally counts the Results of one pass over the recording.
type tally struct {
	right     func(*result.Result) bool
	decisions int
	answered  int
	correct   int
	latencies []float64 // microseconds
	elapsed   time.Duration
}

func (t *tally) count(r *result.Result) {
	t.decisions++
	if r.Reason == "" {
		t.answered++
		if t.right(r) {
			t.correct++
		}
	}
	t.latencies = append(t.latencies, float64(r.Latency.Nanoseconds())/1e3)
}

func (t *tally) accuracy() float64 {
	if t.answered == 0 {
		return 0
	}
	return float64(t.correct) / float64(t.answered)
}

// figures is what the demo measured. Accuracies are fractions of the answered
// ticks; latencies run from the last sample in to the Result out.
type figures struct {
	Decisions          int     `json:"decisions"`
	Answered           int     `json:"answered"`
	Accuracy           float64 `json:"accuracy"`
	AccuracyMasked     float64 `json:"accuracy_masked"`
	DecisionsPerSecond float64 `json:"decisions_per_second"`
	P50Us              float64 `json:"p50_us"`
	P99Us              float64 `json:"p99_us"`
	KernelSet          string  `json:"kernel_set"`
	RSSMiB             float64 `json:"rss_mib"`
}

func newFigures(with, without *tally) figures {
	all := slices.Clone(with.latencies)
	slices.Sort(all)
	return figures{
		Decisions:          with.decisions,
		Answered:           with.answered,
		Accuracy:           with.accuracy(),
		AccuracyMasked:     without.accuracy(),
		DecisionsPerSecond: float64(with.decisions) / with.elapsed.Seconds(),
		P50Us:              quantile(all, 0.50),
		P99Us:              quantile(all, 0.99),
		KernelSet:          ragedge.KernelSet(),
		RSSMiB:             float64(daemon.Resident()) / (1 << 20),
	}
}

// quantile returns the q-quantile of sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (f figures) print(w io.Writer, color bool) error {
	v := &view{w: w, color: color}
	_, err := fmt.Fprintf(w, `
%s
  right          %5.1f %%   of %d answers (%d decisions; %d with all sensors silent)
  without light  %5.1f %%   because the other four carry on
  latency        %5.1f µs  median, %.1f µs p99: last sample in to answer out
  speed        %7.0f     decisions per second, with the %s kernels
  memory         %5.1f MiB resident
`, v.paint(bold, "The whole recording, twice more, as fast as it goes"),
		100*f.Accuracy, f.Answered, f.Decisions, f.Decisions-f.Answered, 100*f.AccuracyMasked,
		f.P50Us, f.P99Us, f.DecisionsPerSecond, f.KernelSet, f.RSSMiB)
	return err
}
