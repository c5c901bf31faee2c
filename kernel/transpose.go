package kernel

// TransposeFits reports whether Transpose does anything with these arguments.
func TransposeFits(dst, a []float32, rows, columns, strideDst, strideA int) bool {
	return Fits(dst, columns, strideDst, rows) && (columns < 2 || strideDst >= rows) && Fits(a, rows, strideA, columns)
}

// Transpose sets dst [columns, rows] to the transpose of a [rows, columns]:
// dst[j·strideDst+i] = a[i·strideA+j] for i below rows, j below columns, bit by bit. It
// does nothing when a slice is too short, a number is negative or rows of dst would
// overlap; what lies between the rows is left alone.
//
// Aliasing: dst must not overlap a, which is only read.
func Transpose(dst, a []float32, rows, columns, strideDst, strideA int) {
	if !TransposeFits(dst, a, rows, columns, strideDst, strideA) || columns == 0 {
		return
	}
	i := 0
	for ; i+4 <= rows; i += 4 { // a cache line of dst is written less often
		a0, a1, a2, a3 := a[i*strideA:][:columns], a[(i+1)*strideA:][:columns], a[(i+2)*strideA:][:columns], a[(i+3)*strideA:][:columns]
		at := i
		for j, v := range a0 {
			y := dst[at : at+4 : at+4]
			y[0], y[1], y[2], y[3] = v, a1[j], a2[j], a3[j]
			at += strideDst
		}
	}
	for ; i < rows; i++ {
		at := i
		for _, v := range a[i*strideA:][:columns] {
			dst[at] = v
			at += strideDst
		}
	}
}
