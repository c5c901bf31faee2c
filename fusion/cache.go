package fusion

import (
	"bytes"
	"unsafe"
)

// memory is what a State keeps of one modality from Fuse to Fuse: the rows it was
// given, and what they became before they met other modalities. The same rows become
// the same, to the bit, so nothing of it is computed again.
type memory struct {
	input   []float32 // nil: computing again costs less than looking
	rows    int       // of input, as far as it is filled
	settled []float32 // [N_m, d] with blocks; without, it is H̄^m in its place
}

// keeps reports whether modality m is worth keeping from Fuse to Fuse.
func (c *Config) keeps(m int) bool {
	gain, d := 0.0, float64(c.Width) // for each row
	if c.Projection == projectLinear {
		gain = float64(c.Modalities[m].Features) * d
	}
	if blocks := c.blocks(); len(blocks) > 0 && blocks[0] == blockIntra {
		gain += 4*d*d + 2*d*float64(c.FFN)
	}
	const looking = 1 << 16 // as long as looking at the rows takes, and more
	return gain > 0 && keeping.pays(looking, gain*float64(c.Modalities[m].Regions))
}

// settles reports whether modality m is kept.
func (s *State) settles(m int) bool { return s.memories[m].input != nil }

// settled returns where the rows of modality m are kept.
func (s *State) settled(m int) matrix {
	if kept := s.memories[m].settled; kept != nil {
		d := s.model.Config.Width
		return matrix{kept[:s.rows[m]*d], d}
	}
	return s.part(m)
}

// remembers reports whether x is what modality m had last time, and keeps it for the
// next time.
func (s *State) remembers(m int, x []float32) bool {
	last := &s.memories[m]
	// An input that nobody has is kept as one of no rows, which is computed for
	// nothing.
	if s.rows[m] == last.rows && bytes.Equal(asBytes(x), asBytes(last.input[:len(x)])) {
		return true
	}
	last.rows = s.rows[m]
	copy(last.input, x)
	return false
}

// asBytes returns x as the bytes in memory: −0 is not 0 there, and comparing is fast.
func asBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
