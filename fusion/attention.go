package fusion

import "github.com/ragedge/ragedge"

// attendTo sets dst [rows, d_v] to softmax(S) V over n keys, S_ij = Σ_k Q_ik K_jk, for
// queries Q [rows, d_k], keys as Kᵀ [d_k, n] and values V [n, d_v]. It is the
// attention of one head of E2, and of one modality of E3.
func (s *State) attendTo(dst, queries matrix, keys, values []float32, n, rows int) {
	inner, columns := len(keys)/n, len(values)/n
	s.share(job{
		do: attendRows, units: rows, y: dst, x: queries, keys: keys, values: values,
		n: n, inner: inner, columns: columns,
	}, 8, rows*n*(inner+columns))
}

// attendHeads lets the queries of every head, Qᵀ [d, rows], attend to its n keys. The
// results take the place of the queries.
func (s *State) attendHeads(q []float32, keys matrix, values []float32, rows, n, size int) {
	block := ragedge.ColumnBlock(n)
	blocks := (rows + block - 1) / block
	s.share(job{
		do: attendBlocks, units: len(q) / rows / size * blocks, y: matrix{q, rows}, x: keys, values: values,
		n: n, inner: size, columns: block,
	}, 1, 2*len(q)*n)
}

// dots sets p [rows, n] to the dot products of the rows of q with those of k, times
// scale.
func (s *State) dots(p, q, k []float32, rows, n int, scale float32) {
	inner := len(k) / n
	s.share(job{do: dotRows, units: rows, y: matrix{p, n}, x: matrix{q, inner}, keys: k, n: n, inner: inner, scale: scale}, 8, len(q)*n)
}
