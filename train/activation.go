package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// activate sets y to the activation of x.
func activate(name string, y, x []float32) {
	if name == "gelu" {
		ragedge.Gelu(y, x)
		return
	}
	ragedge.Relu(y, x)
}

// activateBackward multiplies dy with the slope of the activation at x, whose value is y.
// room has twice as many values, for gelu.
func activateBackward(name string, dy, x, y, room []float32) {
	if name == "gelu" {
		geluBackward(dy, x, y, room)
		return
	}
	reluBackward(dy, x)
}

// reluBackward sets dy to 0 where x is not positive.
func reluBackward(dy, x []float32) {
	for i, v := range x {
		if !(v > 0) {
			dy[i] = 0
		}
	}
}

// geluBackward multiplies dy with Φ(x) + x φ(x), where Φ is y/x. The exponential of φ
// comes from a kernel: the softmax of 0 and t ≤ 0 is 1/(1+e^t) and e^t/(1+e^t), of which
// it is the quotient.
func geluBackward(dy, x, y, room []float32) {
	n := len(x)
	zero, t := room[:n], room[n:2*n]
	clear(zero)
	for i, v := range x {
		t[i] = v * v / -2
	}
	ragedge.SoftmaxColumns(room[:2*n], 2, n)
	const peak = 1 / (math.Sqrt2 * 1.7724538509055160273) // φ(0) = 1/√(2π)
	const tiny = 1e-30                                    // up to here Φ is 1/2
	dy, y, zero, t = dy[:n], y[:n], zero[:n], t[:n]
	for i, v := range x {
		slope := float32(0.5)
		if v < -tiny || v > tiny {
			slope = (y[i]*zero[i] + v*(v*(peak*t[i]))) / (v * zero[i])
		}
		dy[i] *= slope
	}
}
