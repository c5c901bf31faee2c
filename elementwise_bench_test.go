package ragedge

import (
	"fmt"
	"math"
	"testing"
)

// These benchmarks report what those of bench_test.go do. The plain Go that the
// kernels are held against is the usual one:

// plainLayerNorm has one sum, and takes the square root in float64.
func plainLayerNorm(dst, x, weight, bias []float32) {
	n := len(weight)
	for ; len(x) > 0; dst, x = dst[n:], x[n:] {
		var mean, variance float32
		for _, v := range x[:n] {
			mean += v
		}
		mean /= float32(n)
		for _, v := range x[:n] {
			variance += (v - mean) * (v - mean)
		}
		scale := float32(1 / math.Sqrt(float64(variance/float32(n))+1e-5))
		for j, v := range x[:n] {
			dst[j] = (v-mean)*scale*weight[j] + bias[j]
		}
	}
}

func plainTanh(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Tanh(float64(v)))
	}
}

func plainGelu(dst, x []float32) {
	for i, v := range x {
		dst[i] = v / 2 * float32(1+math.Erf(float64(v)/math.Sqrt2))
	}
}

func plainRelu(dst, x []float32) {
	for i, v := range x {
		dst[i] = max(v, 0)
	}
}

// plainSoftmaxColumns goes down each column.
func plainSoftmaxColumns(x []float32, rows, columns int) {
	for j := range columns {
		m := x[j]
		for i := 1; i < rows; i++ {
			m = max(m, x[i*columns+j])
		}
		var sum float32
		for i := range rows {
			e := float32(math.Exp(float64(x[i*columns+j] - m)))
			x[i*columns+j] = e
			sum += e
		}
		for i := range rows {
			x[i*columns+j] /= sum
		}
	}
}

func benchmarkMap(b *testing.B, run, plain func(dst, x []float32)) {
	for _, n := range []int{5, 32, 197, 1024, 16384} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dst, x := ramp(n), ramp(n)
			sideBySide(b, func() { run(dst, x) }, func() { plain(dst, x) }, nil)
		})
	}
}

func BenchmarkTanh(b *testing.B) { benchmarkMap(b, Tanh, plainTanh) }

func BenchmarkGelu(b *testing.B) { benchmarkMap(b, Gelu, plainGelu) }

func BenchmarkRelu(b *testing.B) { benchmarkMap(b, Relu, plainRelu) }

func BenchmarkLayerNorm(b *testing.B) {
	for _, shape := range [][2]int{{8, 5}, {51, 32}, {197, 192}, {128, 384}, {4, 4096}} {
		rows, n := shape[0], shape[1]
		b.Run(fmt.Sprintf("%dx%d", rows, n), func(b *testing.B) {
			dst, x, weight, bias := ramp(rows*n), ramp(rows*n), ramp(n), ramp(n)
			sideBySide(b, func() { LayerNorm(dst, x, weight, bias) }, func() { plainLayerNorm(dst, x, weight, bias) }, nil)
		})
	}
}

func BenchmarkSoftmaxColumns(b *testing.B) {
	for _, shape := range [][2]int{{2, 1}, {5, 8}, {2, 48}, {3, 197}, {8, 1000}} {
		rows, columns := shape[0], shape[1]
		b.Run(fmt.Sprintf("%dx%d", rows, columns), func(b *testing.B) {
			x := ramp(rows * columns)
			sideBySide(b, func() { SoftmaxColumns(x, rows, columns) }, func() { plainSoftmaxColumns(x, rows, columns) }, nil)
		})
	}
}
