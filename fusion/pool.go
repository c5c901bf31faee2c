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
	for k := range S {
		s.orderGates(k)
		y := z[k*d:]
		switch {
		case c.Pool == poolNone && len(s.spans) == 1: // A is 1
			copy(y, s.u)
		case c.Pool == poolNone:
			s.mixSlots(y)
		case c.Pool == poolAttention:
			s.poolAttention(y[:d], omega[k*R:(k+1)*R], k)
		case s.model.absorbed():
			s.mixAbsorbed(y[:d], k)
		default:
			s.mix(y[:d], 0, R)
		}
	}
	if c.Pool == poolMean {
		scale(z, 1/float32(R))
		fill(omega, 1/float32(R))
	}
	s.out.Z = z
}

// orderGates puts A of gate k into the order of the rows of U, [R, M]. A single gate
// has that order as it is given out.
func (s *State) orderGates(k int) {
	if c, R, M := &s.model.Config, s.slots, len(s.spans); c.gateCount() > 1 && !s.model.absorbed() {
		transpose(matrix{s.gates, M}, matrix{s.a[k*R:], c.Gates * R}, M, R)
	}
}

// mix sets y [d] to Σ_m A_{r,m} U^m_r, summed over n slots from the first.
func (s *State) mix(y []float32, first, n int) {
	M, d := len(s.spans), len(y)
	u := s.u[first*M*d : (first+n)*M*d]
	clear(y)
	if s.model.Config.Gate == gateFeature {
		gatedFeatures(y, s.attention[first*M*d:], u)
		return
	}
	ragedge.GatedSum(y, s.gates[first*M:(first+n)*M], u)
}

// mixAbsorbed sets y [d] to Σ_r Σ_m A_{r,m,k} U^m_r without U, as Σ_m (A^mᵀ P^m) H̄^m.
func (s *State) mixAbsorbed(y []float32, k int) {
	clear(y)
	for m, n := range s.rows {
		if n == 0 {
			continue
		}
		w := s.gateOf(m, k)
		if m != s.model.taken() {
			w = s.mixed[:n]
			clear(w)
			ragedge.GatedSum(w, s.gateOf(m, k), s.weights[m])
		}
		ragedge.GatedSum(y, w, s.part(m).values)
	}
}

// mixSlots sets y [R, d] to Y_r of every slot.
func (s *State) mixSlots(y []float32) {
	d := s.model.Config.Width
	for r := range s.slots {
		s.mix(y[r*d:(r+1)*d], r, 1)
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
	s.mixSlots(y)
	ragedge.Tanh(bent, y)
	ragedge.RowDots(omega, bent, s.model.pool[k*d:(k+1)*d], len(omega), 1, d, d, d, 1)
	ragedge.Softmax(omega, omega)
	clear(z)
	ragedge.GatedSum(z, omega, y)
}
