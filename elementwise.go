package ragedge

// LayerNorm normalises every row of x to dst, a row being as long as weight and
// bias: dst[j] = (x[j] − mean) / √(variance + 1e-5) · weight[j] + bias[j]. dst may
// be x. kernel.LayerNorm defines it.
func LayerNorm(dst, x, weight, bias []float32) {
	n := min(len(weight), len(bias))
	if n == 0 {
		return
	}
	weight, bias = weight[:n], bias[:n]
	size := min(len(dst), len(x)) / n * n
	block := max(1, perCall/n) * n
	for i := 0; i < size; i += block {
		end := min(i+block, size)
		layerNorm(dst[i:end], x[i:end], weight, bias)
	}
}

// Tanh writes the hyperbolic tangent of x to dst, over the shorter of the two; dst
// may be x. kernel.Tanh defines it.
func Tanh(dst, x []float32) {
	n := min(len(dst), len(x))
	for i := 0; i < n; i += perCall {
		end := min(i+perCall, n)
		tanh(dst[i:end], x[i:end])
	}
}

// Gelu writes x[i]·Φ(x[i]) to dst[i], over the shorter of the two, where Φ is the
// distribution function of the standard normal distribution; dst may be x.
// kernel.Gelu defines it.
func Gelu(dst, x []float32) {
	n := min(len(dst), len(x))
	for i := 0; i < n; i += perCall {
		end := min(i+perCall, n)
		gelu(dst[i:end], x[i:end])
	}
}

// Relu writes the larger of x[i] and 0 to dst[i], over the shorter of the two; dst
// may be x. kernel.Relu defines it.
func Relu(dst, x []float32) {
	n := min(len(dst), len(x))
	for i := 0; i < n; i += perCall {
		end := min(i+perCall, n)
		relu(dst[i:end], x[i:end])
	}
}

// SoftmaxColumns replaces each column of x [rows, columns] by its softmax down the
// rows. A value of −Inf is masked and gives 0. kernel.SoftmaxColumns defines it.
func SoftmaxColumns(x []float32, rows, columns int) {
	if rows <= 0 || columns <= 0 {
		return
	}
	rows = min(rows, len(x)/columns)
	if rows == 0 {
		return
	}
	// Whole vectors of columns, as many as one call may take.
	block := max(8, perCall/rows&^7)
	for j := 0; j < columns; j += block {
		softmaxColumns(x[j:], rows, min(block, columns-j), columns)
	}
}
