//go:build !purego

package ragedge

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkInstructions is what scripts/instructions counts: with -benchtime 1x
// every case is one call of an operation that NEON kernels compute. The sizes reach
// the hot loops and the tails; their product is the values of a call, which for
// products of matrices are multiply-adds.
func BenchmarkInstructions(b *testing.B) {
	for _, op := range []struct {
		name    string
		sizes   [][]int
		prepare func(n []int) func()
	}{
		{"Dot", [][]int{{5}, {32}, {197}, {1024}}, func(n []int) func() {
			x, y := ramp(n[0]), ramp(n[0])
			return func() { result = Dot(x, y) }
		}},
		{"Softmax", [][]int{{5}, {197}, {1024}}, func(n []int) func() {
			dst, x := ramp(n[0]), ramp(n[0])
			return func() { Softmax(dst, x) }
		}},
		{"GatedSum", [][]int{{8, 32}, {160, 5}, {64, 256}}, func(n []int) func() {
			dst, gates, regions := ramp(n[1]), ramp(n[0]), ramp(n[0]*n[1])
			return func() { GatedSum(dst, gates, regions) }
		}},
		{"MatMul", [][]int{{1, 256, 768}, {8, 32, 4}, {8, 32, 32}, {7, 37, 30}, {32, 256, 256}}, func(n []int) func() {
			x, bias, dst := ramp(n[0]*n[2]), ramp(n[1]), ramp(n[0]*n[1])
			w := Pack(ramp(n[1]*n[2]), n[1], n[2])
			return func() { MatMul(dst, x, n[0], &w, bias) }
		}},
		{"WeightedRows", [][]int{{8, 8, 32}, {51, 51, 8}, {64, 64, 64}}, func(n []int) func() {
			p, v, dst := ramp(n[0]*n[1]), ramp(n[1]*n[2]), ramp(n[0]*n[2])
			return func() { WeightedRows(dst, p, v, n[0], n[1], n[2], n[2], n[2]) }
		}},
		{"RowDots", [][]int{{8, 8, 32}, {51, 51, 8}, {64, 64, 64}}, func(n []int) func() {
			x, y, dst := ramp(n[0]*n[2]), ramp(n[1]*n[2]), ramp(n[0]*n[1])
			return func() { RowDots(dst, x, y, n[0], n[1], n[2], n[2], n[2], 1) }
		}},
		{"LayerNorm", [][]int{{8, 5}, {51, 32}, {4, 768}}, func(n []int) func() {
			dst, x, weight, bias := ramp(n[0]*n[1]), ramp(n[0]*n[1]), ramp(n[1]), ramp(n[1])
			return func() { LayerNorm(dst, x, weight, bias) }
		}},
		{"Tanh", [][]int{{5}, {197}, {1024}}, func(n []int) func() {
			dst, x := ramp(n[0]), ramp(n[0])
			return func() { Tanh(dst, x) }
		}},
		{"Gelu", [][]int{{5}, {197}, {1024}}, func(n []int) func() {
			dst, x := ramp(n[0]), ramp(n[0])
			return func() { Gelu(dst, x) }
		}},
		{"Relu", [][]int{{5}, {197}, {1024}}, func(n []int) func() {
			dst, x := ramp(n[0]), ramp(n[0])
			return func() { Relu(dst, x) }
		}},
		{"SoftmaxColumns", [][]int{{5, 8}, {3, 197}, {8, 1000}}, func(n []int) func() {
			x := ramp(n[0] * n[1])
			return func() { SoftmaxColumns(x, n[0], n[1]) }
		}},
		{"Transpose", [][]int{{8, 5}, {51, 32}}, func(n []int) func() {
			dst, a := ramp(n[0]*n[1]), ramp(n[0]*n[1])
			return func() { Transpose(dst, a, n[0], n[1], n[0], n[1]) }
		}},
		{"ProbeFMA", [][]int{{9600}}, func(n []int) func() {
			return func() { ProbeFMA(n[0]) }
		}},
		{"ProbeLoads", [][]int{{4096}}, func(n []int) func() {
			x := ramp(n[0])
			return func() { ProbeLoads(x, 1) }
		}},
	} {
		for _, n := range op.sizes {
			call := op.prepare(n)
			size := strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", "x")
			b.Run(op.name+"/"+size, func(b *testing.B) {
				for range b.N {
					call()
				}
			})
		}
	}
}
