package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// at is the vector i vectors after the one p points to.
func at(p GPPhysical, i int) Mem { return Mem{Base: p, Disp: 32 * i} }

// zero clears vectors.
func zero(vectors ...VecPhysical) {
	for _, v := range vectors {
		VXORPS(v, v, v)
	}
}

// fold combines all lanes of all vectors into the lowest lane of the first, in a
// fixed tree: neighbouring vectors first, then halves, quarters and eighths. The
// number of vectors is a power of two. It uses tmp.
func fold(op func(...Op), tmp VecPhysical, vectors ...VecPhysical) {
	for step := 1; step < len(vectors); step *= 2 {
		for i := 0; i < len(vectors); i += 2 * step {
			op(vectors[i+step], vectors[i], vectors[i])
		}
	}
	low, half := vectors[0].AsX(), tmp.AsX()
	VEXTRACTF128(Imm(1), vectors[0], half)
	op(half, low, low)
	VMOVHLPS(low, low, half)
	op(half, low, low)
	VMOVSHDUP(low, half)
	op(half, low, low)
}

// constants holds the constants defined so far.
var constants = map[string]Mem{}

// constant returns eight lanes in memory, defined at first use. One value fills
// all lanes.
func constant(name string, lanes ...Constant) Mem {
	if _, ok := constants[name]; !ok {
		constants[name] = GLOBL(name, RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, lanes[i%len(lanes)])
		}
	}
	return constants[name]
}
