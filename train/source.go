package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// source is the examples of a data set as the modalities of a model.
type source struct {
	*Data
	columns []int   // where each modality of the model is in the data
	anchor  int     // that must be there; -1: none
	classes []int64 // of the examples, or Unlabelled; nil under a regression
}

func newSource(c *fusion.Config, d *Data) (*source, error) {
	s := &source{Data: d, anchor: -1}
	if c.Align == "anchor" {
		s.anchor = c.Index(c.Anchor)
	}
	for _, m := range c.Modalities {
		at := slices.IndexFunc(d.Modalities, func(have fusion.Modality) bool { return have.Name == m.Name })
		if at < 0 {
			return nil, fmt.Errorf("%w: there is no modality %q, which the model has", ErrData, m.Name)
		}
		if have := d.Modalities[at].Features; have != m.Features {
			return nil, fmt.Errorf("%w: %s has %d features, the model %d", ErrData, m.Name, have, m.Features)
		}
		s.columns = append(s.columns, at)
	}
	return s, nil
}

// rows returns n_m of an example.
func (s *source) rows(example, m int) int { return s.Rows(example, s.columns[m]) }

// usable returns the examples that a model can be trained on.
func (s *source) usable(examples []int, known func(int) bool) []int {
	var usable []int
	for _, i := range examples {
		present := s.anchor < 0 && slices.ContainsFunc(s.columns, func(m int) bool { return s.Rows(i, m) > 0 }) ||
			s.anchor >= 0 && s.rows(i, s.anchor) > 0
		if known(i) && present {
			usable = append(usable, i)
		}
	}
	return usable
}

// moments collects mean and variance of a feature (Welford's method).
type moments struct{ n, mean, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	off := x - m.mean
	m.mean += off / m.n
	m.squares += off * (x - m.mean)
}

// deviation is the standard deviation, and 1 where there is none to speak of: a constant
// only has the mean taken away.
func (m *moments) deviation() float64 {
	d := math.Sqrt(m.squares / max(m.n, 1))
	if !(d > 1e-6*math.Abs(m.mean)) || d < 1e-12 {
		return 1
	}
	return d
}

// scan reads the examples once, holds them against the model, and returns the moments of
// every feature of every modality over the rows of those that count.
func (s *source) scan(ctx context.Context, c *fusion.Config, examples []int, counts int) ([][]moments, error) {
	all, room := make([][]moments, len(s.columns)), []float32(nil)
	for m, modality := range c.Modalities {
		all[m] = make([]moments, modality.Features)
		room = slices.Grow(room, s.Modalities[s.columns[m]].Regions*modality.Features)
	}
	room = room[:cap(room)]
	for k, i := range examples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for m, modality := range c.Modalities {
			if n := s.rows(i, m); n > modality.Regions {
				return nil, fmt.Errorf("%w: %s has %d rows in example %d, the model takes %d", ErrData, modality.Name, n, i, modality.Regions)
			}
			r, err := s.Regions(i, s.columns[m], room)
			if err != nil {
				return nil, err
			}
			for j, v := range r.Data {
				if v-v != 0 {
					return nil, fmt.Errorf("%w: %s is %v in example %d, row %d, feature %d", ErrData, modality.Name, v, i, j/r.Features, j%r.Features)
				}
				if k < counts {
					all[m][j%r.Features].add(float64(v))
				}
			}
		}
	}
	return all, nil
}

// normalise sets the input statistics of the parameters. A modality without a row has
// none.
func (p *Parameters) normalise(all [][]moments) {
	for m, modality := range p.Config.Modalities {
		if all[m][0].n == 0 {
			continue
		}
		var mean, std []float32
		for _, f := range all[m] {
			mean, std = append(mean, float32(f.mean)), append(std, float32(f.deviation()))
		}
		p.inputs[meanOf(modality)], p.inputs[stdOf(modality)] = mean, std
	}
}
