package fusion

import "github.com/ragedge/ragedge"

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
	fill(omega, 1)
	switch c.Pool {
	case poolNone:
		s.mixSlots(z, 0)
	case poolAttention:
		for k := range S {
			s.poolAttention(z[k*d:(k+1)*d], omega[k*R:(k+1)*R], k)
		}
	case poolSum, poolMean:
		for k := range S {
			s.mix(z[k*d:(k+1)*d], k, 0, R)
		}
		if c.Pool == poolMean {
			scale(z, 1/float32(R))
			fill(omega, 1/float32(R))
		}
	}
	s.out.Z = z
}

// mix sets y [d] to Σ_m A_{r,m,k} U^m_r, summed over n slots from the first.
func (s *State) mix(y []float32, k, first, n int) {
	M, d := len(s.spans), len(y)
	u := s.u[first*M*d : (first+n)*M*d]
	clear(y)
	if s.model.Config.Gate == gateFeature {
		gatedFeatures(y, s.a[first*M*d:], u)
		return
	}
	at := (k*s.slots + first) * M
	ragedge.GatedSum(y, s.gates[at:at+n*M], u)
}

// mixSlots sets y [R, d] to Y_r of every slot under gate k.
func (s *State) mixSlots(y []float32, k int) {
	d := s.model.Config.Width
	for r := range s.slots {
		s.mix(y[r*d:(r+1)*d], k, r, 1)
	}
}

// gatedFeatures adds Σ_i a_i ∘ u_i to y [d] over the rows of u [n, d].
func gatedFeatures(y, a, u []float32) {
	for d := len(y); len(u) > 0; a, u = a[d:], u[d:] {
		for j, v := range u[:d] {
			y[j] += a[j] * v
		}
	}
}

// poolAttention sets z [d] to the sum of the slots' Y under gate k, weighted by
// omega [R] = softmax_r(w_k · tanh(Y_r)).
func (s *State) poolAttention(z, omega []float32, k int) {
	d := len(z)
	y, bent := s.y[:len(omega)*d], s.bent[:len(omega)*d]
	s.mixSlots(y, k)
	ragedge.Tanh(bent, y)
	rowDots(omega, bent, s.model.pool[k*d:(k+1)*d])
	ragedge.Softmax(omega, omega)
	clear(z)
	ragedge.GatedSum(z, omega, y)
}

// rowDots sets dst [n] to the dot product of x with every row of a [n, d].
func rowDots(dst, a, x []float32) {
	for i := range dst {
		dst[i] = ragedge.Dot(a[i*len(x):(i+1)*len(x)], x)
	}
}
