package fusion

import "fmt"

// accept checks an input and sets what depends on its rows alone: n_m, where
// these rows are in H, R, and how many slots of each modality are valid. Blocks have
// the rows that there are one after the other; else each modality has its place.
func (s *State) accept(in []Regions) error {
	c := &s.model.Config
	if len(in) != len(c.Modalities) {
		return fmt.Errorf("%w: %d inputs for %d modalities", ErrUnknownInput, len(in), len(c.Modalities))
	}
	s.all = span{}
	present, place := 0, 0
	for m := range in {
		if err := c.Modalities[m].accept(&in[m]); err != nil {
			return err
		}
		s.rows[m] = in[m].Rows
		s.spans[m] = span{place, place + in[m].Rows}
		s.all.end = s.spans[m].end
		present += in[m].Rows
		place = s.all.end
		if len(s.model.blocks) == 0 {
			place = s.spans[m].first + c.Modalities[m].Regions
		}
	}
	if present == 0 {
		return ErrAllAbsent
	}
	if c.Align == alignAnchor && s.rows[s.model.anchor] == 0 {
		return fmt.Errorf("%w: %s", ErrAnchorAbsent, c.Anchor)
	}
	s.slots = c.slots(s.rows)
	for m, n := range s.rows {
		s.filled[m] = n
		if c.Align != alignIdentity && n > 0 {
			s.filled[m] = s.slots
		}
	}
	return nil
}

// accept checks the rows of one modality.
func (m *Modality) accept(in *Regions) error {
	switch {
	case in.Rows == 0:
		return nil
	case in.Features != m.Features:
		return fmt.Errorf("%w: %s has %d, want %d", ErrWrongFeatures, m.Name, in.Features, m.Features)
	case in.Rows > m.Regions:
		return fmt.Errorf("%w: %s has %d, at most %d", ErrTooManyRows, m.Name, in.Rows, m.Regions)
	case in.Rows < 0 || int64(len(in.Data)) < int64(in.Rows)*int64(in.Features):
		return fmt.Errorf("%w: %s has %d values for %d rows of %d", ErrBadLength, m.Name, len(in.Data), in.Rows, in.Features)
	}
	if values := in.Data[:in.Rows*in.Features]; !finite(values) {
		i := nonFinite(values)
		return fmt.Errorf("%w: %s row %d feature %d is %v", ErrNonFiniteInput, m.Name, i/in.Features, i%in.Features, in.Data[i])
	}
	return nil
}
