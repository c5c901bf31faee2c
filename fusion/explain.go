package fusion

import "github.com/ragedge/ragedge"

// explain gives A and Ω out, in the order of the page, and sums them up as the
// share of each modality:
//
//	g_m = mean over gates g of Σ_r Ω'_{r,g} A_{r,m,g}, Ω' = Ω scaled to sum 1 over r
func (s *State) explain() {
	c, R, M := &s.model.Config, s.slots, len(s.spans)
	S, G := c.gateCount(), c.gateSize()
	share := s.out.Share
	clear(share)
	if c.Gate == gateFeature {
		s.shareFeatures(share)
	} else {
		for m := range share {
			for k := range S {
				share[m] += ragedge.Dot(s.omega[k*R:(k+1)*R], s.gateOf(m, k))
			}
		}
	}
	if c.Pool == poolSum || c.Pool == poolNone { // Ω = 1
		scale(share, 1/float32(R))
	}
	scale(share, 1/float32(G))

	s.out.Attention, s.out.Region = s.attention[:R*M*G], s.region[:R*S]
	if S > 1 {
		transpose(matrix{s.region, S}, matrix{s.omega, R}, S, R)
	}
}

// shareFeatures adds Σ_r Ω_r Σ_g A_{r,m,g} to share [M].
func (s *State) shareFeatures(share []float32) {
	d, M := s.model.Config.Width, len(share)
	for r := range s.slots {
		for m := range share {
			a := s.attention[(r*M+m)*d : (r*M+m+1)*d]
			share[m] += s.omega[r] * ragedge.Dot(a, s.model.ones)
		}
	}
}
