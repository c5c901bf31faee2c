package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// kernelsAVX512 are the loops of the gate on AVX-512.
func kernelsAVX512() {
	dotAVX512()
	maximumAVX512()
	expSumAVX512()
	scaleAVX512()
	softmaxAVX512()
	gatedSumAVX512()
}

// elementwiseAVX512 are the loops between the matrix products on AVX-512.
func elementwiseAVX512() {
	reluAVX512()
	tanhAVX512()
	geluAVX512()
	layerNormAVX512()
	softmaxColumnsAVX512()
}

// at512 is the vector i vectors after the one p points to.
func at512(p GPPhysical, i int) Mem { return Mem{Base: p, Disp: 64 * i} }

// fold512 is fold for vectors of 16 lanes.
func fold512(op func(...Op), tmp VecPhysical, vectors ...VecPhysical) {
	for step := 1; step < len(vectors); step *= 2 {
		for i := 0; i < len(vectors); i += 2 * step {
			op(vectors[i+step], vectors[i], vectors[i])
		}
	}
	low, half := vectors[0].AsY().(VecPhysical), tmp.AsY().(VecPhysical)
	VEXTRACTF64X4(Imm(1), vectors[0], half)
	op(half, low, low)
	fold(op, half, low)
}

// zero512 clears vectors below Z16.
func zero512(vectors ...VecPhysical) {
	for _, v := range vectors {
		VXORPS(v.AsX(), v.AsX(), v.AsX())
	}
}

// value is a constant.
type value struct {
	name string
	bits Constant
}

// broadcast keeps values in all lanes of registers from Z31 down, and returns which
// by their names. There are registers enough, and with a load for each value of
// each vector the loads would bind.
func broadcast(values ...value) map[string]VecPhysical {
	registers := map[string]VecPhysical{}
	for i, v := range values {
		registers[v.name] = zmm[31-i]
		VBROADCASTSS(single(v.name, v.bits), zmm[31-i])
	}
	return registers
}

// single returns a constant in memory, defined at first use.
func single(name string, v Constant) Mem {
	if _, ok := constants[name]; !ok {
		constants[name] = GLOBL(name, RODATA|NOPTR)
		DATA(0, v)
	}
	return constants[name]
}

var zmm = []VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

// expValues are the constants of exp512, which it finds in registers.
var expValues = []value{
	{"cutoff", F32(-0x1.5d589ep6)}, {"rounder", F32(0x1.8p23)}, {"log2e", F32(0x1.715476p0)},
	{"ln2Hi", F32(0x1.62e4p-1)}, {"ln2Lo", F32(0x1.7f7d1cp-20)}, {"one", F32(1)},
	{"c2", F32(0x1.fffffcp-2)}, {"c3", F32(0x1.555492p-3)}, {"c4", F32(0x1.5558f2p-5)},
	{"c5", F32(0x1.1239e2p-7)}, {"c6", F32(0x1.6a2434p-10)},
}

// exp512 is exp, with the same bits. It uses z, k, p and K2.
func exp512(c map[string]VecPhysical, t, z, k, p VecPhysical) {
	const notLess = 0x15 // true for NaN, which thereby stays NaN
	VCMPPS(Imm(notLess), c["cutoff"], t, K2)

	VMOVAPS(c["rounder"], z)
	VFMADD231PS(c["log2e"], t, z)
	VSUBPS(c["rounder"], z, k)
	VFNMADD231PS(c["ln2Hi"], k, t)
	VFNMADD231PS(c["ln2Lo"], k, t)

	VMOVAPS(c["c6"], p)
	for _, next := range []string{"c5", "c4", "c3", "c2", "one", "one"} {
		VFMADD213PS(c[next], t, p)
	}
	VPSLLD(Imm(23), z, z)
	VPADDD(c["one"], z, z)
	VMULPS_Z(z, p, K2, t)
}
