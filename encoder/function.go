package encoder

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A function is one feature: a number computed from the samples of one channel
// in one slice of time. There is always at least one sample.
//
// Everything is computed in float64. A product is written float64(a*b), so that
// it rounds before it is added and the feature is the same on every CPU.
type function func(s *samples) float64

// samples are what one channel has in one slice, oldest first.
type samples struct {
	x []float64
	t []float64 // seconds since the first sample
	// held is true when the one sample is from before the slice.
	held   bool
	sorted []float64 // scratch
}

var functions = map[string]function{
	"last":      func(s *samples) float64 { return s.x[len(s.x)-1] },
	"mean":      func(s *samples) float64 { return mean(s.x) },
	"min":       func(s *samples) float64 { return slices.Min(s.x) },
	"max":       func(s *samples) float64 { return slices.Max(s.x) },
	"range":     func(s *samples) float64 { return slices.Max(s.x) - slices.Min(s.x) },
	"median":    (*samples).median,
	"std":       (*samples).std,
	"slope":     (*samples).slope,
	"rms":       (*samples).rms,
	"count":     (*samples).count,
	"crossings": (*samples).crossings,
}

// parseFunction returns the function of a name in a Definition.
func parseFunction(name string) (function, error) {
	if band, ok := strings.CutPrefix(name, "energy:"); ok {
		lo, hi, err := parseBand(band)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		return func(s *samples) float64 { return s.energy(lo, hi) }, nil
	}
	f, ok := functions[name]
	if !ok {
		known := slices.Sorted(maps.Keys(functions))
		return nil, fmt.Errorf("there is no function %q, only %s and energy:LO-HIHz", name, strings.Join(known, ", "))
	}
	return f, nil
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// median of an even number of samples is the mean of the middle two.
func (s *samples) median() float64 {
	s.sorted = append(s.sorted[:0], s.x...)
	slices.Sort(s.sorted)
	return middle(s.sorted)
}

// middle is the median of values in order.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// std is the population standard deviation √(Σ(x−x̄)²/n).
func (s *samples) std() float64 {
	m := mean(s.x)
	var sum float64
	for _, v := range s.x {
		sum += float64((v - m) * (v - m))
	}
	return math.Sqrt(sum / float64(len(s.x)))
}

// slope is that of the least squares line, per second:
// Σ(t−t̄)(x−x̄) / Σ(t−t̄)². It is 0 for samples of one moment.
func (s *samples) slope() float64 {
	mt, mx := mean(s.t), mean(s.x)
	var tx, tt float64
	for i, v := range s.x {
		dt := s.t[i] - mt
		tx += float64(dt * (v - mx))
		tt += float64(dt * dt)
	}
	if tt == 0 {
		return 0
	}
	return tx / tt
}

// rms is √(Σx²/n).
func (s *samples) rms() float64 {
	var sum float64
	for _, v := range s.x {
		sum += float64(v * v)
	}
	return math.Sqrt(sum / float64(len(s.x)))
}

// count is the number of samples in the slice, so 0 when one is held.
func (s *samples) count() float64 {
	if s.held {
		return 0
	}
	return float64(len(s.x))
}

// crossings counts the changes of the sign of x − x̄ from one sample to the next.
// Samples equal to the mean have no sign and are passed over.
func (s *samples) crossings() float64 {
	m := mean(s.x)
	var n, before int
	for _, v := range s.x {
		sign := 0
		switch {
		case v > m:
			sign = 1
		case v < m:
			sign = -1
		default:
			continue
		}
		if sign == -before {
			n++
		}
		before = sign
	}
	return float64(n)
}
