package ragedge

import (
	"fmt"
	"testing"
)

// The benchmarks of products report, besides what the others do,
//
//	GFLOP/s  two operations for each multiply-add
//	peak     the share of the FMA peak that ProbeFMA reaches in the same run
//
// with the best kernel set, or that of RAGEDGE_CPU.

// plainMatMul is the usual three loops.
func plainMatMul(dst, x, weight, bias []float32, rows, out, in int) {
	for i := range rows {
		for j := range out {
			dst[i*out+j] = bias[j] + plainDot(x[i*in:(i+1)*in], weight[j*in:(j+1)*in])
		}
	}
}

// plainWeightedRows clears dst and adds row by row.
func plainWeightedRows(dst, p, v []float32, rows, n, depth int) {
	clear(dst)
	for i := range rows {
		plainGatedSum(dst[i*depth:(i+1)*depth], p[i*n:(i+1)*n], v)
	}
}

func BenchmarkMatMul(b *testing.B) {
	for _, shape := range [][3]int{{128, 256, 768}, {1, 256, 768}, {4, 256, 768}, {8, 256, 768}, {8, 32, 32}, {8, 32, 4}} {
		rows, out, in := shape[0], shape[1], shape[2]
		b.Run(fmt.Sprintf("%dx%dx%d", rows, out, in), func(b *testing.B) {
			x, weight, bias, dst := ramp(rows*in), ramp(out*in), ramp(out), ramp(rows*out)
			w := Pack(weight, out, in)
			againstPeak(b, rows*out*in, func() { MatMul(dst, x, rows, &w, bias) },
				func() { plainMatMul(dst, x, weight, bias, rows, out, in) })
		})
	}
}

func BenchmarkRowDots(b *testing.B) {
	for _, shape := range [][3]int{{325, 325, 64}, {51, 51, 8}, {8, 8, 32}} {
		rows, cols, depth := shape[0], shape[1], shape[2]
		b.Run(fmt.Sprintf("%dx%dx%d", rows, cols, depth), func(b *testing.B) {
			x, y, bias, dst := ramp(rows*depth), ramp(cols*depth), make([]float32, cols), ramp(rows*cols)
			againstPeak(b, rows*cols*depth, func() { RowDots(dst, x, y, rows, cols, depth, depth, depth, 1) },
				func() { plainMatMul(dst, x, y, bias, rows, cols, depth) })
		})
	}
}

func BenchmarkWeightedRows(b *testing.B) {
	for _, shape := range [][3]int{{325, 325, 64}, {51, 51, 8}, {8, 8, 32}} {
		rows, n, depth := shape[0], shape[1], shape[2]
		b.Run(fmt.Sprintf("%dx%dx%d", rows, n, depth), func(b *testing.B) {
			p, v, dst := ramp(rows*n), ramp(n*depth), ramp(rows*depth)
			againstPeak(b, rows*n*depth, func() { WeightedRows(dst, p, v, rows, n, depth, depth, depth) },
				func() { plainWeightedRows(dst, p, v, rows, n, depth) })
		})
	}
}

// againstPeak reports kernel, which does so many multiply-adds, as sideBySide does
// and as a share of the peak.
func againstPeak(b *testing.B, products int, kernel, plain func()) {
	done := 0
	ns := race(b, kernel, plain, func() { done = ProbeFMA(1 << 16) })
	b.ReportMetric(ns[0], "ns")
	b.ReportMetric(ns[1]/ns[0], "go/kernel")
	b.ReportMetric(2*float64(products)/ns[0], "GFLOP/s")
	b.ReportMetric(float64(products)/ns[0]/(float64(done)/ns[2]), "peak")
}
