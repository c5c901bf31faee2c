package encoder

import (
	"fmt"
	"math"
)

// MaxMels is the largest number of mel filters.
const MaxMels = 128

// Mel is a bank of triangular filters over a Spectrum, evenly spaced on the mel
// scale m = 2595·log10(1 + f/700) from 0 to half the rate. A filter is 1 at its
// centre and 0 at the centres of its neighbours.
type Mel struct {
	first   []int       // bin of each filter
	weights [][]float64 // of the bins from first on
}

// NewMel returns a bank of so many filters for the bins of s. It is an error when
// a filter is so narrow that no bin lies in it.
func NewMel(filters int, s *Spectrum) (*Mel, error) {
	if filters < 1 || filters > MaxMels {
		return nil, fmt.Errorf("%d filters: want 1 to %d", filters, MaxMels)
	}
	top := hertzToMel(s.bin * float64(len(s.Power)-1))
	edge := func(i int) float64 { return melToHertz(top * float64(i) / float64(filters+1)) }
	m := &Mel{}
	for i := range filters {
		low, centre, high := edge(i), edge(i+1), edge(i+2)
		first, weights := 0, []float64(nil)
		for j := range s.Power {
			f := s.bin * float64(j)
			w := min((f-low)/(centre-low), (high-f)/(high-centre))
			if w <= 0 {
				continue
			}
			if weights == nil {
				first = j
			}
			weights = append(weights, w)
		}
		if weights == nil {
			return nil, fmt.Errorf("filter %d of %d covers %.3g to %.3g Hz, where a spectrum in steps of %.3g Hz has nothing: use fewer filters or longer frames", i+1, filters, low, high, s.bin)
		}
		m.first, m.weights = append(m.first, first), append(m.weights, weights)
	}
	return m, nil
}

func hertzToMel(f float64) float64 { return 2595 * math.Log10(1+f/700) }

func melToHertz(m float64) float64 { return 700 * (math.Pow(10, m/2595) - 1) }

// Apply writes the power that each filter lets through to dst, which has room for
// all filters.
func (m *Mel) Apply(power, dst []float64) {
	for i, first := range m.first {
		var sum float64
		for j, w := range m.weights[i] {
			sum += float64(power[first+j] * w)
		}
		dst[i] = sum
	}
}
