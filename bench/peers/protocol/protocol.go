// Package protocol is a worker's side of a comparison: it answers requests to load
// a workload and to time it, which worker.py describes.
package protocol

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Workload is something to run, what it gave last and what it should give.
type Workload struct {
	Run    func()
	Output func() []float32
	Want   []float32
}

// result answers a request; the times are of a single run.
type result struct {
	MinNs    int64   `json:"min_ns,omitempty"`
	MedianNs int64   `json:"median_ns,omitempty"`
	Runs     int     `json:"runs,omitempty"`
	Error    float64 `json:"error"`
}

// failure answers a request that could not be met.
type failure struct {
	Failed string `json:"failed"`
}

// Serve answers the requests of in, one a line, until it ends. load prepares the
// workload of a name.
func Serve(in io.Reader, out io.Writer, load func(name string) (*Workload, error)) error {
	loaded := map[string]*Workload{}
	answers := json.NewEncoder(out)
	requests := bufio.NewScanner(in)
	for requests.Scan() {
		var value any
		value, err := answer(requests.Text(), loaded, load)
		if err != nil {
			value = failure{err.Error()}
		}
		if err := answers.Encode(value); err != nil {
			return err
		}
	}
	return requests.Err()
}

func answer(request string, loaded map[string]*Workload, load func(string) (*Workload, error)) (r result, err error) {
	verb, rest, _ := strings.Cut(request, " ")
	name, rest, _ := strings.Cut(rest, " ")
	switch verb {
	case "load":
		w, err := load(name)
		if err != nil {
			return r, err
		}
		w.Run()
		loaded[name] = w
		r.Error, err = w.worst()
		return r, err
	case "time":
		w := loaded[name]
		if w == nil {
			return r, fmt.Errorf("%s is not loaded", name)
		}
		seconds, err := strconv.ParseFloat(rest, 64)
		if err != nil || !(seconds > 0 && seconds <= 60) {
			return r, fmt.Errorf("time %s: %q: want seconds up to 60", name, rest)
		}
		r = w.time(time.Duration(seconds * float64(time.Second)))
		r.Error, err = w.worst()
		return r, err
	}
	return r, fmt.Errorf("request %q: want load or time", request)
}

const leastRuns, mostRuns = 5, 200_000

// time warms up for a quarter of the budget, and then times each run by itself.
func (w *Workload) time(budget time.Duration) result {
	times := make([]int64, 0, mostRuns)
	runtime.GC() // not while a run is timed
	for start := time.Now(); time.Since(start) < budget/4; {
		w.Run()
	}
	for start := time.Now(); len(times) < leastRuns || len(times) < mostRuns && time.Since(start) < budget/4*3; {
		before := time.Now()
		w.Run()
		times = append(times, int64(time.Since(before)))
	}
	slices.Sort(times)
	return result{MinNs: times[0], MedianNs: times[len(times)/2], Runs: len(times)}
}

// worst returns the largest difference of the output from what it should be, over
// the largest value that it should have.
func (w *Workload) worst() (float64, error) {
	y := w.Output()
	if len(y) != len(w.Want) {
		return 0, fmt.Errorf("the output has %d values, want %d", len(y), len(w.Want))
	}
	var worst, largest float64
	for i, want := range w.Want {
		difference := math.Abs(float64(y[i]) - float64(want))
		if math.IsNaN(difference) || math.IsInf(difference, 0) {
			return 0, errors.New("the output is not finite")
		}
		worst, largest = max(worst, difference), max(largest, math.Abs(float64(want)))
	}
	if largest == 0 {
		return worst, nil
	}
	return worst / largest, nil
}
