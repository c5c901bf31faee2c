package kerneltest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"
)

// guarded is memory between two pages that cannot be touched. It is mapped once
// and never returned.
type guarded []float32

// newGuarded returns room for at least n values.
func newGuarded(n int) (guarded, error) {
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map guarded memory: %w", err)
	}
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			return nil, fmt.Errorf("protect a guard page: %w", err)
		}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[page])), size/4), nil
}

// put copies x to one end of the memory: right after the first guard page or
// right before the last.
func (g guarded) put(x []float32, end bool) []float32 {
	at := g[:len(x)]
	if end {
		at = g[len(g)-len(x):]
	}
	copy(at, x)
	return at
}

// faults calls f and returns the error of its memory fault, nil when it has none.
func faults(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if e, ok := r.(runtime.Error); ok && strings.Contains(e.Error(), "memory address") {
			err = e
		} else if r != nil {
			panic(r)
		}
	}()
	f()
	return nil
}

// guardPages runs every length with each operand at a guard page: one value read
// or written too many at either end faults.
func guardPages(k Impl) error {
	const rows = 5
	s := newSource(10)
	lengths := testLengths()
	most := lengths[len(lengths)-1]
	var memory [3]guarded
	for i := range memory {
		var err error
		if memory[i], err = newGuarded(rows * most); err != nil {
			return err
		}
	}
	for _, n := range lengths {
		a, b, regions := s.values(n, 4), s.values(n, 4), s.values(rows*n, 4)
		for _, end := range []bool{false, true} {
			var err error
			fault := faults(func() { err = k.atGuards(memory, a, b, regions, end) })
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

func (k Impl) atGuards(memory [3]guarded, a, b, regions []float32, end bool) error {
	if err := k.CheckDot(memory[0].put(a, end), memory[1].put(b, end)); err != nil {
		return err
	}
	x, dst := memory[0].put(a, end), memory[1].put(b, end)
	if err := k.CheckSoftmax(dst, x); err != nil {
		return err
	}
	if err := k.CheckSoftmax(x, x); err != nil {
		return err
	}
	rows := 0
	if len(a) > 0 {
		rows = 1 + len(a)%(len(regions)/len(a))
	}
	return k.CheckGatedSum(memory[0].put(a, end), memory[1].put(b[:min(rows, len(b))], end), memory[2].put(regions[:rows*len(a)], end))
}

// guardsFault proves that the guard pages work: a slice that reaches one value
// into a guard page, at either end, makes every kernel fault.
func guardsFault(k Impl) error {
	g, err := newGuarded(256)
	if err != nil {
		return err
	}
	const n = 37
	before := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(&g[0]), -4)), n)
	after := unsafe.Slice(&g[len(g)-n+1], n)
	whole := make([]float32, n)
	for name, x := range map[string][]float32{"before": before, "after": after} {
		for kernel, f := range map[string]func(){
			"dot":       func() { k.Dot(whole, x) },
			"softmax":   func() { k.Softmax(whole, x) },
			"gated sum": func() { k.GatedSum(whole, whole[:1], x) },
		} {
			if faults(f) == nil {
				return fmt.Errorf("%s: a read %s the mapped memory went unnoticed", kernel, name)
			}
		}
	}
	return nil
}

// productGuards runs many shapes with each operand at a guard page.
func productGuards(k Products) error {
	s := newSource(18)
	var memory [3]guarded
	for i := range memory {
		var err error
		if memory[i], err = newGuarded(1 << 14); err != nil {
			return err
		}
	}
	for rows := 1; rows < 10; rows++ {
		for _, out := range []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 31, 33, 47, 64, 70} {
			for i, in := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33} {
				if (rows+out+i)%stride(4) > 0 {
					continue
				}
				for _, end := range []bool{false, true} {
					put := func(i int, x []float32) []float32 { return memory[i].put(x, end) }
					var err error
					if fault := faults(func() { err = k.atGuards(put, s, rows, out, in) }); fault != nil {
						return fmt.Errorf("%d rows, %d inputs, %d outputs, end %t: %w", rows, in, out, end, fault)
					}
					if err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// layerGuards runs layers and attention with each operand at a guard page.
func layerGuards(k Layers) error {
	s := newSource(38)
	var memory [5]guarded
	for i := range memory {
		var err error
		if memory[i], err = newGuarded(1 << 14); err != nil {
			return err
		}
	}
	for rows := 1; rows < 27; rows += 4 {
		for _, n := range []int{1, 2, 7, 8, 17, 33, 64} {
			for i, size := range []int{1, 3, 8, 15, 17, 32} {
				if (rows/4+n+i)%stride(3) > 0 {
					continue
				}
				for _, end := range []bool{false, true} {
					put := func(i int, x []float32) []float32 { return memory[i].put(x, end) }
					var err error
					if fault := faults(func() { err = k.atGuards(put, s, rows, n, size) }); fault != nil {
						return fmt.Errorf("%d rows, %d, %d, end %t: %w", rows, n, size, end, fault)
					}
					if err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// transposeGuards runs both operands at a guard page.
func transposeGuards(f Transpose) error {
	s := newSource(43)
	var memory [2]guarded
	for i := range memory {
		var err error
		if memory[i], err = newGuarded(1 << 12); err != nil {
			return err
		}
	}
	for rows := 1; rows < 27; rows++ {
		for columns := 1; columns < 27; columns++ {
			for _, end := range []bool{false, true} {
				dst, a := memory[0].put(make([]float32, rows*columns), end), memory[1].put(s.values(rows*columns, 4), end)
				var err error
				if fault := faults(func() { err = f.Check(dst, a, rows, columns, rows, columns) }); fault != nil {
					return fmt.Errorf("%d by %d, end %t: %w", rows, columns, end, fault)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
