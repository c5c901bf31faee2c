package ragedge

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// The benchmarks measure a kernel and what it is held against side by side: each
// round runs every candidate for some microseconds, and the fastest round of each
// counts. On a busy machine that is steadier than a mean, and the ratios are
// those of the same moment. They report
//
//	ns        of the kernel
//	go/kernel plain Go, as below, over the kernel
//	kernel/floor  the kernel over a loop that only loads the same bytes from L1
//
// Run them with go test -bench . -run '^$' .

// plainDot is the usual loop, with one accumulator.
func plainDot(a, b []float32) (sum float32) {
	b = b[:len(a)]
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// plainSoftmax is the usual softmax on math.Exp.
func plainSoftmax(dst, x []float32) {
	m := x[0]
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	var sum float32
	for i, v := range x {
		dst[i] = float32(math.Exp(float64(v - m)))
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}

// plainGatedSum is the usual pair of loops.
func plainGatedSum(dst, gates, regions []float32) {
	for i, gate := range gates {
		row := regions[i*len(dst):][:len(dst)]
		for j, v := range row {
			dst[j] += gate * v
		}
	}
}

// floor only loads; nil where there is no such loop.
var floor func(a, b []float32)

var result float32

func BenchmarkDot(b *testing.B) {
	for _, n := range []int{4, 32, 256, 768, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, y := ramp(n), ramp(n)
			loads := floor
			if n%32 != 0 {
				loads = nil
			}
			sideBySide(b, func() { result = Dot(x, y) }, func() { result = plainDot(x, y) }, bind(loads, x, y))
		})
	}
}

func BenchmarkSoftmax(b *testing.B) {
	for _, n := range []int{2, 5, 8, 197, 1024} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, dst := ramp(n), ramp(n)
			sideBySide(b, func() { Softmax(dst, x) }, func() { plainSoftmax(dst, x) }, nil)
		})
	}
}

func BenchmarkGatedSum(b *testing.B) {
	for _, shape := range [][2]int{{2, 32}, {8, 32}, {32, 32}, {160, 5}, {64, 256}} {
		rows, columns := shape[0], shape[1]
		b.Run(fmt.Sprintf("%dx%d", rows, columns), func(b *testing.B) {
			dst, gates, regions := ramp(columns), make([]float32, rows), ramp(rows*columns)
			for i := range gates {
				gates[i] = float32(i%2) - 0.5 // the sum stays where it is
			}
			sideBySide(b, func() { GatedSum(dst, gates, regions) }, func() { plainGatedSum(dst, gates, regions) }, nil)
		})
	}
}

// ramp returns n values between -4 and 4.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*37%101)/12.5 - 4
	}
	return x
}

func bind(f func(a, b []float32), x, y []float32) func() {
	if f == nil {
		return nil
	}
	return func() { f(x, y) }
}

// sideBySide reports the fastest round of kernel, and its ratios to plain and, if
// there is one, to least.
func sideBySide(b *testing.B, kernel, plain, least func()) {
	candidates := []func(){kernel, plain}
	if least != nil {
		candidates = append(candidates, least)
	}
	ns := race(b, candidates...)
	b.ReportMetric(ns[0], "ns")
	b.ReportMetric(ns[1]/ns[0], "go/kernel")
	if least != nil {
		b.ReportMetric(ns[0]/ns[2], "kernel/floor")
	}
}

// race returns the nanoseconds of a call in the fastest round of each candidate.
func race(b *testing.B, candidates ...func()) []float64 {
	const round = 10 * time.Microsecond
	calls, fastest := make([]int, len(candidates)), make([]float64, len(candidates))
	for i, f := range candidates {
		for calls[i] = 1; timed(f, calls[i]) < round; calls[i] *= 2 {
		}
		fastest[i] = math.Inf(1)
	}
	for b.Loop() {
		for i, f := range candidates {
			fastest[i] = min(fastest[i], float64(timed(f, calls[i]))/float64(calls[i]))
		}
	}
	b.ReportMetric(0, "ns/op")
	return fastest
}

func timed(f func(), calls int) time.Duration {
	start := time.Now()
	for range calls {
		f()
	}
	return time.Since(start)
}
