package fusion

import (
	"fmt"

	"github.com/ragedge/ragedge"
)

// input holds what E0 and E1 do to the rows of one modality.
type input struct {
	mean []float32 // [d_m]; nil: the input is not normalised
	// Without projection the rows are scaled by 1/std, [d_m]; with one, 1/std is
	// part of project.
	scale   []float32
	project *linear // [d, d_m], without bias; nil: none
	// start is what every row of H begins with: bias, modality embedding and
	// position together. [N_m, d], or [1, d] when there are no positions.
	start     []float32
	positions bool
}

func newInput(m Modality, d int, weights map[string][]float32) (input, error) {
	in := input{mean: weights["input."+m.Name+".mean"]}
	weight, bias := weights["project."+m.Name+".weight"], weights["project."+m.Name+".bias"]

	if std := weights["input."+m.Name+".std"]; std != nil {
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
		// Columns whatever d is: the rows of an input are short and many.
		in.project = &linear{in: m.Features, out: d, columns: transpose(weight, d, m.Features)}
	}

	in.start = weights["position."+m.Name]
	in.positions = in.start != nil
	if !in.positions {
		in.start = make([]float32, d)
	}
	for _, term := range [][]float32{bias, weights["modality."+m.Name]} {
		for i := 0; term != nil && i < len(in.start); i++ {
			in.start[i] += term[i%d]
		}
	}
	return in, nil
}

// project is E0 and E1, for the rows there are:
//
//	H^m = ((x − mean_m) / std_m) W_mᵀ + b_m + e_m + p_m[i]
func (s *State) project(inputs []Regions) {
	d, stack := s.model.Config.Width, s.stack
	for m := range s.model.inputs {
		in, x, n := &s.model.inputs[m], inputs[m].Data, s.rows[m]
		features := s.model.Config.Modalities[m].Features
		s.h[m], stack = stack[:n*d], stack[n*d:]
		for i := range n {
			in.projectRow(s.h[m][i*d:(i+1)*d], in.normalise(s.x, x[i*features:(i+1)*features]), i)
		}
	}
}

// normalise is E0 for one row: x − mean in full, and the division unless the
// projection does it. It returns x itself or the buffer.
func (in *input) normalise(buffer, x []float32) []float32 {
	if in.mean == nil {
		return x
	}
	y := buffer[:len(x)]
	for j, v := range x {
		y[j] = v - in.mean[j]
	}
	for j, v := range in.scale {
		y[j] *= v
	}
	return y
}

// projectRow is E1 for row i.
func (in *input) projectRow(h, x []float32, i int) {
	if !in.positions {
		i = 0
	}
	copy(h, in.start[i*len(h):])
	if in.project != nil {
		ragedge.GatedSum(h, x, in.project.columns)
		return
	}
	for j, v := range x {
		h[j] += v
	}
}
