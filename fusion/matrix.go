package fusion

import "github.com/ragedge/ragedge"

// span is a run of rows of H: from first up to end.
type span struct{ first, end int }

func (p span) rows() int { return p.end - p.first }

// of returns the rows of the span of a matrix with the given number of columns.
func (p span) of(x []float32, columns int) []float32 { return x[p.first*columns : p.end*columns] }

// matrix is some columns of a row-major matrix: its rows begin stride apart.
type matrix struct {
	values []float32
	stride int
}

// row returns row i, of the given number of columns.
func (a matrix) row(i, columns int) []float32 { return a.values[i*a.stride : i*a.stride+columns] }

// from returns a without its first n rows.
func (a matrix) from(n int) matrix { return matrix{a.values[n*a.stride:], a.stride} }

// transpose sets dst [columns, rows] to the transpose of a [rows, columns].
func transpose(dst, a matrix, rows, columns int) {
	ragedge.Transpose(dst.values, a.values, rows, columns, dst.stride, a.stride)
}

// transposed returns the transpose of a [rows, columns].
func transposed(a []float32, rows, columns int) []float32 {
	t := make([]float32, len(a))
	transpose(matrix{t, rows}, matrix{a, columns}, rows, columns)
	return t
}

// softmaxRows replaces every row of x […, columns] by its softmax.
func softmaxRows(x []float32, columns int) {
	for ; len(x) > 0; x = x[columns:] {
		ragedge.Softmax(x[:columns], x[:columns])
	}
}

// one is the gate that adds a row as it is.
var one = []float32{1}

// addRow adds row to every row of x.
func addRow(x, row []float32) {
	for ; len(x) > 0; x = x[len(row):] {
		ragedge.GatedSum(x[:len(row)], one, row)
	}
}

// addTo adds x to y, value by value.
func addTo(y, x []float32) { ragedge.GatedSum(y, one, x) }

// weigh sets every row of y to the row of x times the weight, value by value. x may be
// y.
func weigh(y, x, weight []float32) {
	for n := len(weight); len(x) > 0; y, x = y[n:], x[n:] {
		for i, w := range weight {
			y[i] = x[i] * w
		}
	}
}

// shift adds b to every value.
func shift(x []float32, b float32) {
	for i := range x {
		x[i] += b
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}
