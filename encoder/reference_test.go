package encoder

import (
	"math"
	"math/cmplx"
	"sort"
	"strconv"
	"strings"
	"time"
)

// referenceRegions is the definition of the window written down as it reads, with
// no regard for cost: every slice, baseline and function looks at all samples
// ever added, in the order in which they came.
func referenceRegions(d Definition, samples []Sample, at time.Duration) (rows [][]float64, age time.Duration) {
	every, stale := d.Every.Std(), d.StaleAfter.Std()
	byChannel := make([][]timed, len(d.Channels))
	for i, name := range d.Channels {
		byChannel[i] = referenceChannel(d, samples, name, at)
		if len(byChannel[i]) == 0 {
			return nil, -1
		}
		newest := byChannel[i][len(byChannel[i])-1]
		age = max(age, at-newest.at)
	}
	if stale > 0 && age > stale {
		return nil, age
	}
	for k := range d.Regions {
		end := at - time.Duration(k)*every
		begin := end - every
		var row []float64
		for _, channel := range byChannel {
			var in []timed
			var before *timed
			for i, p := range channel {
				if p.at > begin && p.at <= end {
					in = append(in, p)
				}
				if p.at <= begin {
					before = &channel[i]
				}
			}
			held := false
			if len(in) == 0 && d.Fill == FillHold && before != nil && end-before.at <= stale {
				in, held = []timed{*before}, true
			}
			if len(in) == 0 {
				return rows, age
			}
			for _, f := range d.Functions {
				row = append(row, referenceFunction(f, in, held))
			}
		}
		rows = append(rows, row)
	}
	return rows, age
}

type timed struct {
	at time.Duration
	v  float64
}

// referenceChannel returns the samples of one channel up to a time, in order,
// less their baseline.
func referenceChannel(d Definition, samples []Sample, name string, at time.Duration) []timed {
	var all []timed
	for _, s := range samples {
		if s.Channel == name && s.At <= at {
			all = append(all, timed{s.At, s.Value})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at })
	if !d.Baseline {
		return all
	}
	flat := make([]timed, len(all))
	for i, p := range all {
		var window []float64
		for _, q := range all[:i+1] {
			if q.at > p.at-d.BaselineWindow.Std() {
				window = append(window, q.v)
			}
		}
		flat[i] = timed{p.at, p.v - referenceMedian(window)}
	}
	return flat
}

func referenceMedian(x []float64) float64 {
	x = append([]float64(nil), x...)
	sort.Float64s(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

func referenceFunction(name string, in []timed, held bool) float64 {
	n := float64(len(in))
	var sum, squares float64
	smallest, largest := math.Inf(1), math.Inf(-1)
	var x []float64
	for _, p := range in {
		x = append(x, p.v)
		sum += p.v
		squares += p.v * p.v
		smallest, largest = math.Min(smallest, p.v), math.Max(largest, p.v)
	}
	mean := sum / n
	switch name {
	case "last":
		return in[len(in)-1].v
	case "mean":
		return mean
	case "min":
		return smallest
	case "max":
		return largest
	case "range":
		return largest - smallest
	case "median":
		return referenceMedian(x)
	case "rms":
		return math.Sqrt(squares / n)
	case "std":
		var sum float64
		for _, v := range x {
			sum += (v - mean) * (v - mean)
		}
		return math.Sqrt(sum / n)
	case "slope":
		// The normal equations, with times from the first sample.
		var st, sx, stt, stx float64
		for _, p := range in {
			t := (p.at - in[0].at).Seconds()
			st, sx, stt, stx = st+t, sx+p.v-mean, stt+t*t, stx+t*(p.v-mean)
		}
		if in[0].at == in[len(in)-1].at {
			return 0
		}
		return (n*stx - st*sx) / (n*stt - st*st)
	case "count":
		if held {
			return 0
		}
		return n
	case "crossings":
		var signs []float64
		for _, v := range x {
			if v != mean {
				signs = append(signs, math.Copysign(1, v-mean))
			}
		}
		changes := 0
		for i := 1; i < len(signs); i++ {
			if signs[i] != signs[i-1] {
				changes++
			}
		}
		return float64(changes)
	}
	return referenceEnergy(strings.TrimSuffix(strings.TrimPrefix(name, "energy:"), "Hz"), in)
}

func referenceEnergy(band string, in []timed) float64 {
	low, high, _ := strings.Cut(band, "-")
	lo, _ := strconv.ParseFloat(low, 64)
	hi, _ := strconv.ParseFloat(high, 64)
	n := len(in)
	span := (in[n-1].at - in[0].at).Seconds()
	if span == 0 {
		return 0
	}
	rate := float64(n-1) / span
	var sum float64
	for j := 0; j <= n/2; j++ {
		f := float64(j) * rate / float64(n)
		if f < lo || f >= hi {
			continue
		}
		var X complex128
		for i, p := range in {
			X += complex(p.v, 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(i)*float64(j)/float64(n)))
		}
		sum += real(X)*real(X) + imag(X)*imag(X)
	}
	return sum / float64(n)
}
