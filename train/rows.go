package train

import "github.com/ragedge/ragedge"

// one is the gate that adds a row as it is.
var one = []float32{1}

// addTo adds x to y, value by value.
func addTo(y, x []float32) { ragedge.GatedSum(y, one, x) }

// addRow adds row to every row of x.
func addRow(x, row []float32) {
	const wide = 32 // from here on a call is worth it
	for ; len(x) > 0; x = x[len(row):] {
		y := x[:len(row)]
		if len(row) >= wide {
			ragedge.GatedSum(y, one, row)
			continue
		}
		for i, v := range row {
			y[i] += v
		}
	}
}

// addScaled adds x times the factor to y.
func addScaled(y, x []float32, by float32) {
	gate := [1]float32{by}
	ragedge.GatedSum(y, gate[:], x)
}

// weigh sets every row of y to the row of x times the weight, value by value. x may be y.
func weigh(y, x, weight []float32) {
	for n := len(weight); len(x) > 0; y, x = y[n:], x[n:] {
		for i, w := range weight {
			y[i] = x[i] * w
		}
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

// softmaxRows replaces every row of x […, columns] by its softmax.
func softmaxRows(x []float32, columns int) {
	for ; len(x) > 0; x = x[columns:] {
		ragedge.Softmax(x[:columns], x[:columns])
	}
}

// softmaxBackward replaces dp, the gradient of p = softmax(s) row by row, by that of s,
// times the factor.
func softmaxBackward(dp, p []float32, columns int, by float32) {
	for ; len(p) > 0; dp, p = dp[columns:], p[columns:] {
		row, weights := dp[:columns], p[:columns]
		mean := ragedge.Dot(row, weights)
		for i, w := range weights {
			row[i] = by * (w * (row[i] - mean))
		}
	}
}
