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
func (s *State) project(inputs []Regions) {
	for m := range s.model.inputs {
		in := &s.model.inputs[m]
		h, x := s.part(m), inputs[m].Data[:s.rows[m]*inputs[m].Features]
		in.enter(h, x, s.x, s.model.Config.Width)
		in.begin(h)
	}
}

// enter sets h to the projection of the rows x after E0, or to the rows
// themselves; buffer is for the rows of a band.
func (in *input) enter(h, x, buffer []float32, d int) {
	if in.mean == nil {
		in.enterBand(h, x)
		return
	}
	features := len(in.mean)
	for len(x) > 0 {
		n := min(inputBand, len(x)/features)
		in.enterBand(h[:n*d], in.normalise(buffer[:n*features], x))
		h, x = h[n*d:], x[n*features:]
	}
}

func (in *input) enterBand(h, x []float32) {
	if in.project != nil {
		in.project.apply(h, x)
		return
	}
	copy(h, x)
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

// begin adds the terms of E1 that do not depend on the input, unless they are the
// bias of the projection.
func (in *input) begin(h []float32) {
	switch {
	case in.positions:
		addTo(h, in.start[:len(h)])
	case in.start != nil:
		addRow(h, in.start)
	}
}
