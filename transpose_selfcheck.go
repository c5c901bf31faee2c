package ragedge

import (
	"fmt"
	"math"
)

// checkTranspose is check for the transpose, with blocks and what is left of both sides.
func checkTranspose(transpose func(dst, a []float32, rows, columns, strideDst, strideA int)) error {
	const rows, columns = 19, 21
	var a, dst [rows * columns]float32
	for i := range a {
		a[i] = float32(i + 1)
	}
	transpose(dst[:], a[:], rows, columns, rows, columns)
	for at, v := range dst {
		i, j := at%rows, at/rows
		if want := a[i*columns+j]; math.Float32bits(v) != math.Float32bits(want) {
			return fmt.Errorf("transpose of %d by %d: [%d, %d] is %v, want %v", rows, columns, j, i, v, want)
		}
	}
	return nil
}
