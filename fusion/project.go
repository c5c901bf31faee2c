package fusion

import "fmt"

// input holds what E0 and E1 do to the rows of one modality.
type input struct {
	mean []float32 // [d_m]; nil: the input is not normalised
	// Without projection the rows are scaled by 1/std, [d_m]; with one, 1/std is
	// part of project.
	scale   []float32
	project *linear // [d, d_m]; nil: none
	// start is bias, modality embedding and position together: [N_m, d], or [1, d]
	// when there are no positions. Then it is the projection's bias, if there is one.
	start     []float32
	positions bool
}

func newInput(m Modality, d int, w weights) (input, error) {
	in := input{mean: w["input."+m.Name+".mean"]}
	weight, bias := w["project."+m.Name+".weight"], w["project."+m.Name+".bias"]

	if std := w["input."+m.Name+".std"]; std != nil {
		in.scale = make([]float32, len(std))
		for i, v := range std {
			if in.scale[i] = 1 / v; !(v > 0) || !finite(in.scale[i:i+1]) {
				return input{}, fmt.Errorf("%w: input.%s.std has %v at %d, want more than 0", ErrNonPositiveStd, m.Name, v, i)
			}
		}
	}
	if weight != nil {
		if in.scale != nil {
			for i := range weight {
				weight[i] *= in.scale[i%m.Features]
			}
			if i := nonFinite(weight); i >= 0 {
				return input{}, fmt.Errorf("%w: input.%s.std has %v at %d, too small for project.%[2]s.weight",
					ErrNonPositiveStd, m.Name, 1/in.scale[i%m.Features], i%m.Features)
			}
			in.scale = nil
		}
	}

	in.start = w["position."+m.Name]
	in.positions = in.start != nil
	if !in.positions {
		in.start = make([]float32, d)
	}
	for _, term := range [][]float32{bias, w["modality."+m.Name]} {
		for i := 0; term != nil && i < len(in.start); i++ {
			in.start[i] += term[i%d]
		}
	}
	if weight != nil {
		l := newLinear(weight, nil, d, m.Features)
		if !in.positions {
			l.bias, in.start = in.start, nil
		}
		in.project = &l
	}
	return in, nil
}

// project is E0 and E1, for the rows there are:
//
//	H^m = ((x − mean_m) / std_m) W_mᵀ + b_m + e_m + p_m[i]
//
// What follows and concerns a modality alone is done as well: E3's norm where there
// are no blocks, and the first block where it does not mix modalities. So a modality
// whose rows are those of the last time has nothing to do.
func (s *State) project(inputs []Regions) {
	for m := range s.model.inputs {
		x := inputs[m].Data[:s.rows[m]*inputs[m].Features]
		if !s.settles(m) {
			s.enter(m, s.part(m), x)
			continue
		}
		settled := s.settled(m)
		if !s.remembers(m, x) {
			s.enter(m, settled, x)
			if len(s.model.blocks) > 0 && s.model.blocks[0].kind == blockIntra {
				s.blockAlone(&s.model.blocks[0], settled.values)
			}
		}
		if len(s.model.blocks) > 0 {
			copy(s.part(m).values, settled.values)
		}
	}
}

// enter sets h to E0 and E1 of the rows x of modality m, and to E3's norm of that where
// nothing comes between.
func (s *State) enter(m int, h matrix, x []float32) {
	in := &s.model.inputs[m]
	if len(x) == 0 {
		return
	}
	d, features, most := s.model.Config.Width, len(x)/s.rows[m], s.rows[m]
	if in.mean != nil {
		most = inputBand
	}
	for i := 0; i < s.rows[m]; i += most {
		n := min(most, s.rows[m]-i)
		rows := x[i*features : (i+n)*features]
		if in.mean != nil {
			rows = in.normalise(s.x[:n*features], rows)
		}
		if in.project != nil {
			s.apply(in.project, h.from(i), rows)
			continue
		}
		for k := range n {
			copy(h.row(i+k, d), rows[k*d:(k+1)*d])
		}
	}
	for i := range s.rows[m] {
		switch {
		case in.positions:
			addTo(h.row(i, d), in.start[i*d:(i+1)*d])
		case in.start != nil:
			addTo(h.row(i, d), in.start)
		}
		if s.model.norm != nil && len(s.model.blocks) == 0 {
			s.model.norm.apply(h.row(i, d), h.row(i, d))
		}
	}
}

// normalise is E0, for the rows that y holds: x − mean in full, and the division
// unless the projection does it.
func (in *input) normalise(y, x []float32) []float32 {
	for i := 0; i < len(y); i += len(in.mean) {
		row := y[i : i+len(in.mean)]
		for j, v := range x[i : i+len(in.mean)] {
			row[j] = v - in.mean[j]
		}
		for j, v := range in.scale {
			row[j] *= v
		}
	}
	return y
}
