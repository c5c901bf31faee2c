package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// exp replaces the lanes of t, which are at most 0 or NaN, by e^t as kernel/exp.go
// computes it, but fused. It uses z, k, p and keep.
func exp(t, z, k, p, keep VecPhysical) {
	constant := func(name string, v float32) Mem { return constant(name, F32(v)) }
	rounder := constant("rounder", 0x1.8p23)
	one := constant("one", 1)

	const notLess = 0x15 // true for NaN, which thereby stays NaN
	VCMPPS(Imm(notLess), constant("cutoff", -0x1.5d589ep6), t, keep)

	// k = round(t·log2 e), and the low bits of z hold it as an integer
	VMOVUPS(rounder, z)
	VFMADD231PS(constant("log2e", 0x1.715476p0), t, z)
	VSUBPS(rounder, z, k)

	// t −= k·ln 2 in two steps
	VFNMADD231PS(constant("ln2Hi", 0x1.62e4p-1), k, t)
	VFNMADD231PS(constant("ln2Lo", 0x1.7f7d1cp-20), k, t)

	// e^t = 1 + t + c2·t² + … + c6·t⁶, then times 2^k
	VMOVUPS(constant("c6", 0x1.6a2434p-10), p)
	VFMADD213PS(constant("c5", 0x1.1239e2p-7), t, p)
	VFMADD213PS(constant("c4", 0x1.5558f2p-5), t, p)
	VFMADD213PS(constant("c3", 0x1.555492p-3), t, p)
	VFMADD213PS(constant("c2", 0x1.fffffcp-2), t, p)
	VFMADD213PS(one, t, p)
	VFMADD213PS(one, t, p)
	VPSLLD(Imm(23), z, z)
	VPADDD(one, z, z)
	VMULPS(z, p, p)
	VANDPS(keep, p, t)
}
