package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ragedge/ragedge"
)

// kernel is a kernel at one size.
type kernel struct {
	name  string
	flops int64 // a multiply-add is two; 0 where other operations prevail
	bytes int   // it has to load, where loads bind it; else 0
	run   func(calls int)
}

// kernels lists what is measured, a line each.
func kernels() []kernel {
	return []kernel{
		dot(32),
		dot(256),
		dot(768),
		dot(4096),
		softmax(1, 5),
		softmax(1, 197),
		softmax(128, 197),
		gatedSum(8, 32),
		gatedSum(40, 32),
		gatedSum(32, 256),
		gatedSum(197, 256),
		matMul(8, 32, 16),
		matMul(51, 64, 32),
		matMul(128, 256, 768),
		rowDots(128, 197, 256),
		weightedRows(128, 197, 256),
		softmaxColumns(5, 8),
		rowByRow("layer norm", 128, 384, func(dst, x []float32) { ragedge.LayerNorm(dst, x, ones, ones) }),
		rowByRow("gelu", 128, 1536, ragedge.Gelu),
		rowByRow("tanh", 128, 256, ragedge.Tanh),
	}
}

// ones are weights for the longest rows that need some.
var ones = slices.Repeat([]float32{1}, 384)

func dot(n int) kernel {
	a, b := ramp(n), ramp(n)
	return kernel{fmt.Sprintf("dot %d", n), 2 * int64(n), 8 * n, func(calls int) {
		for range calls {
			ragedge.Dot(a, b)
		}
	}}
}

func softmax(rows, columns int) kernel {
	return rowByRow("softmax", rows, columns, ragedge.Softmax)
}

// rowByRow is a kernel of one row, on all rows of a matrix.
func rowByRow(name string, rows, columns int, f func(dst, x []float32)) kernel {
	x, dst := ramp(rows*columns), make([]float32, rows*columns)
	return kernel{fmt.Sprintf("%s %d×%d", name, rows, columns), 0, 0, func(calls int) {
		for range calls {
			for i := 0; i < len(x); i += columns {
				f(dst[i:i+columns], x[i:i+columns])
			}
		}
	}}
}

// softmaxColumns is the softmax over a few rows, in every column.
func softmaxColumns(rows, columns int) kernel {
	x, from := make([]float32, rows*columns), ramp(rows*columns)
	return kernel{fmt.Sprintf("column softmax %d×%d", rows, columns), 0, 0, func(calls int) {
		for range calls {
			copy(x, from)
			ragedge.SoftmaxColumns(x, rows, columns)
		}
	}}
}

func gatedSum(rows, columns int) kernel {
	dst, gates, regions := make([]float32, columns), ramp(rows), ramp(rows*columns)
	return kernel{fmt.Sprintf("gated sum %d×%d", rows, columns), product(rows, columns), 4 * rows * columns, func(calls int) {
		for range calls {
			clear(dst) // or it would grow from call to call
			ragedge.GatedSum(dst, gates, regions)
		}
	}}
}

// matMul multiplies [rows, in] by packed weights [out, in].
func matMul(rows, out, in int) kernel {
	x, dst, bias, w := ramp(rows*in), make([]float32, rows*out), ramp(out), ragedge.Pack(ramp(out*in), out, in)
	return kernel{fmt.Sprintf("matrix %d×%d×%d", rows, out, in), product(rows, out, in), 0, func(calls int) {
		for range calls {
			ragedge.MatMul(dst, x, rows, &w, bias)
		}
	}}
}

func rowDots(rows, columns, depth int) kernel {
	a, b, dst := ramp(rows*depth), ramp(columns*depth), make([]float32, rows*columns)
	return kernel{fmt.Sprintf("row dots %d×%d×%d", rows, columns, depth), product(rows, columns, depth), 0, func(calls int) {
		for range calls {
			ragedge.RowDots(dst, a, b, rows, columns, depth, depth, depth, 1)
		}
	}}
}

func weightedRows(rows, n, depth int) kernel {
	p, v, dst := ramp(rows*n), ramp(n*depth), make([]float32, rows*depth)
	return kernel{fmt.Sprintf("weighted rows %d×%d×%d", rows, n, depth), product(rows, n, depth), 0, func(calls int) {
		for range calls {
			ragedge.WeightedRows(dst, p, v, rows, n, depth, depth, depth)
		}
	}}
}

// product is the operations of a product of matrices, a multiply-add as two.
func product(sizes ...int) int64 {
	flops := int64(2)
	for _, n := range sizes {
		flops *= int64(n)
	}
	return flops
}

// kernelStep measures one kernel.
func (r *Report) kernelStep(k kernel) step {
	return step{"kernels", k.name, 1, func(ctx context.Context, budget time.Duration) error {
		figure := r.figure(ctx, k.name, k.flops, 1, budget, k.run, nil)
		if k.bytes > 0 {
			figure.GBps = float64(k.bytes) / 1e3 / figure.MinUs
			figure.LoadShare = figure.GBps / r.bandwidth(k.bytes)
		}
		r.Kernels = append(r.Kernels, figure)
		return nil
	}}
}
