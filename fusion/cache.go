package fusion

import (
	"bytes"
	"math"
	"unsafe"
)

// memory is what a State keeps of one modality from Fuse to Fuse: the rows it was
// given, and what they became before they met other modalities. The same rows become
// the same, to the bit, so nothing of it is computed again.
//
// Rows that are new every time shall not cost a copy every time. A glance tells most
// of them: only rows that look like the last ones are copied, so that the third time
// is the first to gain.
type memory struct {
	glance  [glances]uint32 // bits of some values of the last rows
	rows    int             // how many they were
	held    bool            // input is a copy of them
	input   []float32       // nil: computing again costs less than looking
	settled []float32       // [N_m, d] with blocks; without, it is H̄^m in its place
}

// glances is how many values are looked at, evenly spread, the first and the last
// among them.
const glances = 16

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

// remembers reports whether x is what modality m had last time, as far as it was worth
// a copy.
func (s *State) remembers(m int, x []float32) bool {
	last, rows := &s.memories[m], s.rows[m]
	if rows == 0 { // nothing to compute
		if s.model.direct() && last.settled == nil { // its place in U is about to be cleared
			last.rows, last.held = 0, false
		}
		return true
	}
	if s.again && rows == last.rows {
		return true
	}
	var glance [glances]uint32
	for i := range glance {
		glance[i] = math.Float32bits(x[i*(len(x)-1)/(glances-1)])
	}
	alike := rows == last.rows && glance == last.glance
	if alike && last.held && bytes.Equal(asBytes(x), asBytes(last.input[:len(x)])) {
		return true
	}
	if alike {
		copy(last.input, x)
	}
	last.glance, last.rows, last.held = glance, rows, alike
	return false
}

// asBytes returns x as the bytes in memory: −0 is not 0 there, and comparing is fast.
func asBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
