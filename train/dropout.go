package train

// drop chooses the modalities that examples are shown without; one always stays.
func (f *fit) drop(examples []int) {
	M := len(f.dropout)
	for k, i := range examples {
		dropped := f.dropped[k*M : (k+1)*M]
		present, left := 0, 0
		for m := range dropped {
			dropped[m] = false
			if f.source.rows(i, m) == 0 {
				continue
			}
			present++
			if dropped[m] = f.random.Float64() < f.dropout[m]; !dropped[m] {
				left++
			}
		}
		if left > 0 {
			continue
		}
		stays := f.random.IntN(present)
		for m := range dropped {
			if f.source.rows(i, m) > 0 {
				if stays == 0 {
					dropped[m] = false
				}
				stays--
			}
		}
	}
}
