package train

import "github.com/ragedge/ragedge/fusion"

// enter adds an example to the batch, with one Regions per modality in model order, and
// normalises its rows (E0).
func (p *pass) enter(regions []fusion.Regions) {
	for m := range regions {
		in := &regions[m]
		x := p.batch.next(m, in.Rows)
		copy(x, in.Data[:in.Rows*in.Features])
		p.normals[m].apply(x)
	}
	p.batch.finish()
}

// load makes examples of a source the batch, without the modalities that are dropped
// [examples, M]; nil: none.
func (p *pass) load(s *source, examples []int, dropped []bool) error {
	p.batch.reset()
	for k, i := range examples {
		for m := range s.columns {
			n := s.rows(i, m)
			if dropped != nil && dropped[k*len(s.columns)+m] {
				n = 0
			}
			x := p.batch.next(m, n)
			if n == 0 {
				continue
			}
			r, err := s.Regions(i, s.columns[m], x)
			if err != nil {
				return err
			}
			copy(x, r.Data) // onto itself when it came from a file
			p.normals[m].apply(x)
		}
		p.batch.finish()
	}
	return nil
}
