package fusion

// FuseAgain is Fuse for an input that differs from the last one, which Fuse took
// without an error, only in modalities that are absent now: what becomes of the
// result without them. What the rows of a modality become by themselves is then not
// computed again, where that is most of the work. The bits are those of Fuse.
func (s *State) FuseAgain(in []Regions) (*Output, error) {
	s.again = true
	out, err := s.Fuse(in)
	s.again = false
	return out, err
}
