package fusion

// columnKeys is up to how many keys the scores of a block of queries stay in the first
// cache all at once: then attention is faster with queries as columns.
const columnKeys = 384

// attendColumns sets the context to P V of all heads, as attendFrom does: Qᵀ, in whose
// place come the results, the rows of K and Vᵀ.
func (s *State) attendColumns(context, queries []float32, asked [2]span, n, size int) {
	d := s.model.Config.Width
	rows := len(queries) / d
	turned, values := s.turned[:len(queries)], s.panels[:n*d]
	transpose(matrix{turned, rows}, matrix{queries, d}, rows, d)

	keys, at := matrix{s.keys, d}, 0
	for _, some := range asked {
		kv := matrix{some.of(s.keyValue, 2*d), 2 * d}
		switch some.rows() {
		case 0:
			continue
		case n:
			keys = kv
		default: // side by side with those of the other span
			for i := range some.rows() {
				copy(keys.row(at+i, d), kv.row(i, d))
			}
		}
		transpose(matrix{values[at:], n}, matrix{kv.values[d:], 2 * d}, some.rows(), d)
		at += some.rows()
	}
	s.attendHeads(turned, keys, values, rows, n, size)
	transpose(matrix{context, d}, matrix{turned, rows}, d, rows)
}
