package fusion

import (
	"math"

	"github.com/ragedge/ragedge"
)

// pool is E6: Z and the weight Ω of every slot in it, [S, R].
//
//	Z_s = Σ_r Ω_{r,s} Y_{r,s},  Y_{r,s} = Σ_m A_{r,m,s} U^m_r
//
// under a feature gate with A_{r,m,:} ∘ U^m_r. Ω is 1 (sum), 1/R (mean) or a
// learned attention over the slots; pool none keeps Z_r = Y_r.
func (s *State) pool() {
	c, R := &s.model.Config, s.slots
	d, S := c.Width, c.gateCount()
	z, omega := s.z[:c.fusedRows(R)*d], s.omega[:S*R]
	switch c.Pool {
	case poolNone:
		for r := range R {
			s.mix(z[r*d:(r+1)*d], 0, r, 1)
		}
		fill(omega, 1)
	case poolAttention:
		for k := range S {
			s.poolAttention(z[k*d:(k+1)*d], omega[k*R:(k+1)*R], k)
		}
	case poolSum, poolMean:
		for k := range S {
			s.mix(z[k*d:(k+1)*d], k, 0, R)
		}
		fill(omega, 1)
		if c.Pool == poolMean {
			scale(z, 1/float32(R))
			fill(omega, 1/float32(R))
		}
	}
	s.out.Z = z
}

// mix sets y [d] to Σ_m A_{r,m,k} U^m_r, summed over n slots from the first.
func (s *State) mix(y []float32, k, first, n int) {
	M, d := len(s.h), len(y)
	u := s.u[first*M*d : (first+n)*M*d]
	clear(y)
	if !s.model.gate.feature {
		at := (k*s.slots + first) * M
		ragedge.GatedSum(y, s.a[at:at+n*M], u)
		return
	}
	for a := s.a[first*M*d:]; len(u) > 0; a, u = a[d:], u[d:] {
		for j, v := range u[:d] {
			y[j] += a[j] * v
		}
	}
}

// poolAttention sets z [d] to the sum of the slots' Y under gate k, weighted by
// omega [R] = softmax_r(w_k · tanh(Y_r)).
func (s *State) poolAttention(z, omega []float32, k int) {
	d := len(z)
	w := s.model.pool[k*d : (k+1)*d]
	for r := range omega {
		y := s.y[r*d : (r+1)*d]
		s.mix(y, k, r, 1)
		for j, v := range y {
			s.tanh[j] = float32(math.Tanh(float64(v)))
		}
		omega[r] = ragedge.Dot(w, s.tanh)
	}
	ragedge.Softmax(omega, omega)
	clear(z)
	ragedge.GatedSum(z, omega, s.y)
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}
