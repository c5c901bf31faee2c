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
	for first := 0; first < rows; first += band {
		count := min(band, rows-first)
		scores, context := s.scores[:count*n], dst.from(first)
		q := s.weigh(queries.from(first), weight, count, inner)
		ragedge.WeightedRows(scores, q, keys, count, inner, n, n, n)
		softmaxRows(scores, n)
		ragedge.WeightedRows(context.values, scores, values, count, n, columns, context.stride, columns)
	}
}

// weigh returns rows of queries side by side, [rows, columns], each times the
// weight when there is one.
func (s *State) weigh(queries matrix, weight []float32, rows, columns int) []float32 {
	for i := range rows {
		y := s.weighted[i*columns : (i+1)*columns]
		copy(y, queries.row(i, columns))
		for j, w := range weight {
			y[j] *= w
		}
	}
	return s.weighted[:rows*columns]
}
