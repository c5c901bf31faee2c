package train

import "github.com/ragedge/ragedge"

// hadamard is the score S_ij = Σ_k w_k Q_ik F_jk, with F = relu(K), of some queries and
// keys of full width d.
type hadamard struct {
	q, factors, score    []float32 // Q [rows, d], F [n, d], w [d]
	dq, dFactors, dScore []float32
	weighted, wide       []float32 // room for [rows, d], and for the more of rows and n
	columns              []float32 // room for [n, rows]
}

// hadamardBackward adds the gradients of the scores ds [rows, n] to dq, dFactors and
// dScore.
func hadamardBackward(s hadamard, ds []float32, rows, n int) {
	d := len(s.score)
	wide := s.wide[:rows*d] // dQ before its weight
	ragedge.WeightedRows(wide, ds, s.factors, rows, n, d, d, d)
	for i := range rows {
		q, dq, to := s.q[i*d:(i+1)*d], s.dq[i*d:(i+1)*d], wide[i*d:(i+1)*d]
		for k, v := range to {
			s.dScore[k] += v * q[k]
			dq[k] += v * s.score[k]
		}
	}
	weigh(s.weighted[:rows*d], s.q[:rows*d], s.score)
	columns := s.columns[:rows*n]
	ragedge.Transpose(columns, ds, rows, n, rows, n)
	wide = s.wide[:n*d]
	ragedge.WeightedRows(wide, columns, s.weighted, n, rows, d, d, d)
	addTo(s.dFactors[:n*d], wide)
}
