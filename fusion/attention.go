package fusion

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
		q, scores := queries.from(first), matrix{s.scores[:count*n], n}
		if weight != nil {
			q = s.weigh(q, weight, count)
		}
		multiply(scores, q, keys, count, inner, n)
		softmaxRows(scores.values, n)
		multiply(dst.from(first), scores, values, count, n, columns)
	}
}

// weigh returns rows of queries, each times the weight.
func (s *State) weigh(queries matrix, weight []float32, rows int) matrix {
	weighted := matrix{s.weighted, len(weight)}
	for i := range rows {
		y := weighted.row(i, len(weight))
		for j, q := range queries.row(i, len(weight)) {
			y[j] = q * weight[j]
		}
	}
	return weighted
}
