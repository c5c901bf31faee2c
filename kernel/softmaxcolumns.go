package kernel

import "math"

// SoftmaxColumns replaces each column of x, a matrix of rows·columns values, row
// after row, by its softmax down the rows. Rows that x does not hold as a whole are
// ignored, and what lies beyond the last row is left alone.
//
// Each column is what Softmax makes of it: the same rounding, order, bound
// (SoftmaxBound over rows values), masks and treatment of infinity and NaN. A
// column that is all masked becomes 0, and no column touches another.
func SoftmaxColumns(x []float32, rows, columns int) {
	if columns <= 0 {
		return
	}
	SoftmaxStrided(x, min(rows, len(x)/columns), columns, columns)
}

// SoftmaxStrided is SoftmaxColumns of the first columns of rows that lie stride
// values apart, all of them in x.
func SoftmaxStrided(x []float32, rows, columns, stride int) {
	for j := range columns {
		softmaxColumn(x, rows, stride, j)
	}
}

// softmaxColumn is Softmax in place of the values from j on, stride apart.
func softmaxColumn(x []float32, rows, stride, j int) {
	m := float32(-math.MaxFloat32)
	for i := range rows {
		if v := x[i*stride+j]; v > m {
			m = v
		}
	}
	var sum float32
	for i := range rows {
		v := &x[i*stride+j]
		*v = exp(*v - m)
		sum += *v
	}
	scale := 1 / max(sum, 1)
	for i := range rows {
		x[i*stride+j] *= scale
	}
}
