package kerneltest

import (
	"fmt"
	"unsafe"
)

// elementwiseGuards runs every length with each operand at a guard page.
func elementwiseGuards(k Elementwise) error {
	const rows = 3
	s := newSource(28)
	lengths := testLengths()
	most := lengths[len(lengths)-1]
	var memory [4]guarded
	for i := range memory {
		var err error
		if memory[i], err = newGuarded(rows * most); err != nil {
			return err
		}
	}
	for _, n := range lengths {
		x, weight, bias := s.values(rows*n, 4), s.values(n, 2), s.values(n, 2)
		for _, end := range []bool{false, true} {
			var err error
			fault := faults(func() { err = k.atGuards(memory, x, weight, bias, end) })
			if fault != nil {
				return fmt.Errorf("%d values, end %t: %w", n, end, fault)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (k Elementwise) atGuards(memory [4]guarded, x, weight, bias []float32, end bool) error {
	for _, m := range k.maps() {
		in, dst := memory[0].put(weight, end), memory[1].put(bias, end)
		if err := m.check(dst, in); err != nil {
			return err
		}
		if err := m.check(in, in); err != nil {
			return err
		}
	}
	in, dst := memory[0].put(x, end), memory[1].put(x, end)
	w, b := memory[2].put(weight, end), memory[3].put(bias, end)
	if err := k.CheckLayerNorm(dst, in, w, b); err != nil {
		return err
	}
	if err := k.CheckLayerNorm(in, in, w, b); err != nil {
		return err
	}
	return k.CheckSoftmaxColumns(memory[0].put(x, end), 3, len(weight))
}

// elementwiseGuardsFault proves that the guard pages work: a slice that reaches one
// value into a guard page, at either end, makes every kernel fault.
func elementwiseGuardsFault(k Elementwise) error {
	g, err := newGuarded(256)
	if err != nil {
		return err
	}
	const n = 37
	before := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(&g[0]), -4)), n)
	after := unsafe.Slice(&g[len(g)-n+1], n)
	whole, dst := make([]float32, n), make([]float32, n)
	for name, x := range map[string][]float32{"before": before, "after": after} {
		for kernel, f := range map[string]func(){
			"tanh":                 func() { k.Tanh(dst, x) },
			"gelu":                 func() { k.Gelu(dst, x) },
			"relu":                 func() { k.Relu(dst, x) },
			"layer norm":           func() { k.LayerNorm(dst, x, whole, whole) },
			"weight of layer norm": func() { k.LayerNorm(dst, whole, x, whole) },
			"bias of layer norm":   func() { k.LayerNorm(dst, whole, whole, x) },
			"softmax of columns":   func() { k.SoftmaxColumns(x, 1, n) },
		} {
			if faults(f) == nil {
				return fmt.Errorf("%s: a read %s the mapped memory went unnoticed", kernel, name)
			}
		}
	}
	return nil
}
