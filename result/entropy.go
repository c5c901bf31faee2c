package result

import "math"

// Entropy says how undecided the probabilities are, from 0, one label has all of it,
// to 1, all have the same: −Σ p ln p / ln C of C labels. It is 0 for fewer than two,
// and NaN when one is no number.
func (r *Result) Entropy() float32 {
	if len(r.Probabilities) < 2 {
		return 0
	}
	sum := 0.0
	for _, p := range r.Probabilities {
		switch {
		case p-p != 0: // NaN or an infinity
			return float32(math.NaN())
		case p > 0: // 0 ln 0 is 0
			sum -= float64(p) * math.Log(float64(p))
		}
	}
	// Rounding may leave a hair more than 1.
	return float32(max(0, min(1, sum/math.Log(float64(len(r.Probabilities))))))
}
