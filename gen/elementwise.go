package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise are the loops between the matrix products of a model.
func elementwise() {
	relu()
	tanh()
	gelu()
	layerNorm()
	softmaxColumns()
}

// each is a kernel that sets every value of dst to f of the one of x. f replaces
// the lanes of Y0 and may use all other vectors. One vector at a time is enough:
// the next ones run ahead while it waits.
func each(name, budget string, f func(x VecPhysical)) {
	TEXT(name, NOSPLIT, "func(dst, x []float32)")
	dst, x, n := RDI, RSI, RCX
	v, tmp := Y0, Y1

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	SUBQ(Imm(8), n)
	JL(LabelRef("tail"))

	Comment("DI, SI: next of dst, x. CX: values after this vector. Y0: of x, then of dst.", budget)
	Label("vector")
	VMOVUPS(at(x, 0), v)
	f(v)
	VMOVUPS(v, at(dst, 0))
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(8), n)
	JGE(LabelRef("vector"))

	Comment("The low three bits of CX count the tail. Lanes it has not are 0.")
	Label("tail")
	TESTQ(U32(7), n)
	JEQ(LabelRef("done"))
	zero(v)
	loadTail(n, x, v, tmp)
	f(v)
	storeTail(n, dst, v)
	Label("done")
	VZEROUPPER()
	RET()
}

// relu relies on VMAXPS taking its first operand, as avo has it, for NaN.
func relu() {
	each("reluAVX2", "8 values an iteration: 1 load, 2 vector operations, 1 store. The loop itself binds.", func(x VecPhysical) {
		zero(Y1)
		VMAXPS(x, Y1, x)
		VADDPS(Y1, x, x) // −0 becomes +0
	})
}

// tanh computes both forms of kernel/tanh.go and takes a lane of each.
func tanh() {
	one := constant("one", F32(1))
	each("tanhAVX2", "8 values an iteration: 31 vector operations, 14 of them FMA, and a division. The operations bind.", func(x VecPhysical) {
		sign, a, small, e, y, p, s := Y1, Y0, Y2, Y3, Y4, Y5, Y6
		VANDPS(constant("signBit", U32(1<<31)), x, sign)
		VXORPS(sign, x, a)
		VMULPS(constant("minusTwo", F32(-2)), a, e)
		const greater = 0x1e // false for NaN, which thereby stays NaN
		VCMPPS(Imm(greater), constant("tanhSmall", F32(-1.1)), e, small)

		// y = 1 − 2E/(1+E)
		exp(e, Y7, Y8, Y9, Y10)
		VADDPS(one, e, y)
		VADDPS(e, e, e)
		VDIVPS(y, e, e)
		VMOVUPS(one, y)
		VSUBPS(e, y, y)

		// p = a + a³·p(a²)
		VMULPS(a, a, s)
		VMOVUPS(constant("tanh11", F32(-0x1.9b3042p-8)), p)
		VFMADD213PS(constant("tanh9", F32(0x1.593d06p-6)), s, p)
		VFMADD213PS(constant("tanh7", F32(-0x1.b9287ap-5)), s, p)
		VFMADD213PS(constant("tanh5", F32(0x1.110d26p-3)), s, p)
		VFMADD213PS(constant("tanh3", F32(-0x1.55554ap-2)), s, p)
		VMULPS(s, p, p)
		VFMADD213PS(a, a, p)

		VBLENDVPS(small, p, y, x)
		VORPS(sign, x, x)
	})
}

// gelu is kernel/gelu.go, fused.
func gelu() {
	coefficient := func(name string, v float32) Mem { return constant(name, F32(v)) }
	each("geluAVX2", "8 values an iteration: 34 vector operations, 20 of them FMA, and a division. The operations bind.", func(x VecPhysical) {
		a, rest, t, p, q := Y1, Y2, Y3, Y4, Y5
		VANDPS(constant("absMask", U32(1<<31-1)), x, a)
		VMINPS(constant("geluMost", F32(14)), a, a)

		// t + rest = −a²/2 exactly
		VMULPS(constant("minusHalf", F32(-0.5)), a, rest)
		VMULPS(rest, a, t)
		VFMSUB213PS(t, a, rest)
		exp(t, Y4, Y5, Y6, Y7)
		VFMADD213PS(t, t, rest)
		e := rest

		VMOVUPS(coefficient("geluP4", 0x1.0353c4p-8), p)
		VFMADD213PS(coefficient("geluP3", 0x1.442a1ap-5), a, p)
		VFMADD213PS(coefficient("geluP2", 0x1.70d8a6p-3), a, p)
		VFMADD213PS(coefficient("geluP1", 0x1.bc824ep-2), a, p)
		VFMADD213PS(coefficient("half", 0.5), a, p)
		VMOVUPS(coefficient("geluQ5", 0x1.450372p-7), q)
		VFMADD213PS(coefficient("geluQ4", 0x1.964fd6p-4), a, q)
		VFMADD213PS(coefficient("geluQ3", 0x1.d84280p-2), a, q)
		VFMADD213PS(coefficient("geluQ2", 0x1.3084d2p+0), a, q)
		VFMADD213PS(coefficient("geluQ1", 0x1.aa8356p+0), a, q)
		VFMADD213PS(coefficient("one", 1), a, q)
		VMULPS(a, p, p)
		VDIVPS(q, p, p)
		VMULPS(e, p, p)

		// max(x, −0) − tail: VMAXPS takes its first operand for two zeros or NaN
		VMOVUPS(constant("signBit", U32(1<<31)), q)
		VMAXPS(x, q, x)
		VSUBPS(p, x, x)
	})
}
