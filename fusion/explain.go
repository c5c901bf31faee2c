package fusion

import "github.com/ragedge/ragedge"

// explain brings A and Ω into the order in which they are given out, and sums
// them up as the share of each modality:
//
//	g_m = mean over gates g of Σ_r Ω'_{r,g} A_{r,m,g}, Ω' = Ω scaled to sum 1 over r
func (s *State) explain() {
	c, R, M := &s.model.Config, s.slots, len(s.h)
	S := c.gateCount()
	share := s.out.Share
	clear(share)
	if s.model.gate.feature {
		s.shareFeatures(share)
	} else {
		for k := range S {
			ragedge.GatedSum(share, s.omega[k*R:(k+1)*R], s.a[k*R*M:(k+1)*R*M])
		}
	}
	if c.Pool == poolSum || c.Pool == poolNone { // Ω = 1
		scale(share, 1/float32(R))
	}
	scale(share, 1/float32(c.gateSize()))

	s.out.Attention, s.out.Region = s.a[:R*M*c.gateSize()], s.omega[:R*S]
	if S > 1 {
		s.out.Attention = transposeInto(s.attention, s.out.Attention, S, R*M)
		s.out.Region = transposeInto(s.region, s.out.Region, S, R)
	}
}

// shareFeatures adds Σ_r Ω_r Σ_g A_{r,m,g} to share [M].
func (s *State) shareFeatures(share []float32) {
	d := s.model.Config.Width
	for r := range s.slots {
		a := s.features(r)
		for m := range share {
			share[m] += s.omega[r] * ragedge.Dot(a[m*d:(m+1)*d], s.model.gate.ones)
		}
	}
}

// transposeInto writes the transpose of a [rows, columns] to the buffer.
func transposeInto(buffer, a []float32, rows, columns int) []float32 {
	t := buffer[:len(a)]
	for i := range rows {
		for j, v := range a[i*columns : (i+1)*columns] {
			t[j*rows+i] = v
		}
	}
	return t
}
