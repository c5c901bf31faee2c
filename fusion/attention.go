package fusion

import "github.com/ragedge/ragedge"

// attention sets dst [rows, d_v] to softmax(S) V over n keys, with
//
//	S_ij = Σ_k w_k Q_ik K_jk
//
// for queries Q [rows, d_k], keys as Kᵀ [d_k, n] and values V [n, d_v]. The
// weight w [d_k] may be nil for 1. It is the attention of one head of E2, and of
// one modality of E3.
func (s *State) attention(dst, queries matrix, weight, keys, values []float32, n, rows int) {
	inner, columns := len(keys)/n, len(values)/n
	if weight == nil {
		ragedge.Attention(dst.values, queries.values, keys, values, s.scores, rows, n, inner, columns, dst.stride, queries.stride)
		return
	}
	for first := 0; first < rows; first += band {
		count := min(band, rows-first)
		q := s.weigh(queries.from(first), weight, count)
		ragedge.Attention(dst.from(first).values, q, keys, values, s.scores, count, n, inner, columns, dst.stride, inner)
	}
}

// weigh returns rows of queries side by side, [rows, len(weight)], each times the
// weight.
func (s *State) weigh(queries matrix, weight []float32, rows int) []float32 {
	columns := len(weight)
	for i := range rows {
		y := s.weighted[i*columns : (i+1)*columns]
		for j, v := range queries.row(i, columns) {
			y[j] = v * weight[j]
		}
	}
	return s.weighted[:rows*columns]
}
