package main

import (
	"fmt"
	"strconv"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/bench/peers/protocol"
	"github.com/ragedge/ragedge/fusion"
)

// multiplyAdds is the work of a run of fma: whole blocks of every kernel set.
// report.py knows the number.
const multiplyAdds = 12 << 16

// load prepares a kernel, or the model file of that name in the folder.
func load(folder, name string) (*protocol.Workload, error) {
	nothing := func() []float32 { return nil }
	switch name {
	case "fma":
		return &protocol.Workload{Run: func() { ragedge.ProbeFMA(multiplyAdds) }, Output: nothing}, nil
	case "empty":
		return &protocol.Workload{Run: func() {}, Output: nothing}, nil
	}
	want, err := protocol.ReadValues(folder, name, "out")
	if err != nil {
		return nil, err
	}
	w := &protocol.Workload{Want: want}
	switch name {
	case "softmax":
		err = softmax(w, folder, name, 128, 197)
	case "matmul":
		err = matMul(w, folder, name, 128, 256, 768)
	default:
		err = model(w, folder, name)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// model fuses an input; its output is the logits, or Z of a model without a head. A
// State computes nothing again for rows that are those of the last time, so that each
// run changes a value of every modality, and the next one changes it back.
func model(w *protocol.Workload, folder, name string) error {
	model, err := fusion.Load(folder + "/" + name + ".safetensors")
	if err != nil {
		return err
	}
	regions := make([]fusion.Regions, len(model.Config.Modalities))
	for i, m := range model.Config.Modalities {
		data, err := protocol.ReadValues(folder, name, strconv.Itoa(i), m.Regions, m.Features)
		if err != nil {
			return err
		}
		regions[i] = fusion.Regions{Rows: m.Regions, Features: m.Features, Data: data}
	}
	state := model.NewState()
	out, err := state.Fuse(regions)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	changed := false
	w.Run = func() {
		for _, r := range regions {
			last := len(r.Data) - 1
			r.Data[last] = -r.Data[last]
		}
		changed = !changed
		out, _ = state.Fuse(regions) // did not fail the first time
	}
	w.Output = func() []float32 {
		if changed {
			w.Run()
		}
		if out.Logits != nil {
			return out.Logits
		}
		return out.Z
	}
	return nil
}

// softmax is of every row of x [rows, columns].
func softmax(w *protocol.Workload, folder, name string, rows, columns int) error {
	x, err := protocol.ReadValues(folder, name, "0", rows, columns)
	if err != nil {
		return err
	}
	y := make([]float32, len(x))
	w.Run = func() {
		for i := 0; i < len(x); i += columns {
			ragedge.Softmax(y[i:i+columns], x[i:i+columns])
		}
	}
	w.Output = func() []float32 { return y }
	return nil
}

// matMul is x Wᵀ for x [rows, in] and W [out, in], which is packed before.
func matMul(w *protocol.Workload, folder, name string, rows, out, in int) error {
	x, err := protocol.ReadValues(folder, name, "0", rows, in)
	if err != nil {
		return err
	}
	weight, err := protocol.ReadValues(folder, name, "1", out, in)
	if err != nil {
		return err
	}
	packed, y := ragedge.Pack(weight, out, in), make([]float32, rows*out)
	w.Run = func() { ragedge.MatMul(y, x, rows, &packed, nil) }
	w.Output = func() []float32 { return y }
	return nil
}
