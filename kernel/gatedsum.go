package kernel

// GatedSum adds gated rows to dst: dst[j] += Σ_i gates[i]·regions[i·len(dst)+j].
// regions holds a row of len(dst) values for each gate. A gate without a whole
// row is ignored, and so is what regions has beyond the last gate.
//
// Order: for each j, starting from dst[j], from the first row down. Assembly may
// add the rows in several accumulators and dst[j] last, and may fuse.
//
// Error: every implementation is within GatedSumBound of the exact sum.
//
// Infinity and NaN: as IEEE 754 adds them, in each column for itself. A gate of 0
// does not hide its row, since 0·Inf and 0·NaN are NaN: a masked row must be
// finite or left out. Overflow on the way depends on the order, as in Dot. The
// sign of a zero is not defined.
//
// Aliasing: dst must not overlap gates or regions, which are only read.
func GatedSum(dst, gates, regions []float32) {
	if len(dst) == 0 {
		return
	}
	for _, gate := range gates {
		if len(regions) < len(dst) {
			return
		}
		row := regions[:len(dst)]
		regions = regions[len(dst):]
		for j, v := range row {
			dst[j] += float32(gate * v)
		}
	}
}
