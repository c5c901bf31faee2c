package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// each512 is each with vectors of 16 lanes. f replaces the lanes of Z0 and may use
// all vectors but those of the values, which it finds in registers.
func each512(name, budget string, values []value, f func(x VecPhysical, c map[string]VecPhysical)) {
	TEXT(name, NOSPLIT, "func(dst, x []float32)")
	dst, x, n := RDI, RSI, RCX
	v := Z0

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	c := broadcast(values...)
	SUBQ(Imm(16), n)
	JL(LabelRef("tail"))

	Comment(
		"DI, SI: next of dst, x. CX: values after this vector. Z0: of x, then of dst.",
		fmt.Sprintf("Z%d-Z31: constants.", 32-len(values)),
		budget,
	)
	Label("vector")
	VMOVUPS(at512(x, 0), v)
	f(v, c)
	VMOVUPS(v, at512(dst, 0))
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), dst)
	SUBQ(Imm(16), n)
	JGE(LabelRef("vector"))

	Comment("The low four bits of CX count the tail. Lanes it has not are 0.")
	Label("tail")
	TESTQ(U32(15), n)
	JEQ(LabelRef("done"))
	zero512(v)
	loadTail512(n, x, v, Z1, Z2)
	f(v, c)
	storeTail512(n, dst, v)
	Label("done")
	VZEROUPPER()
	RET()
}

// reluAVX512 relies on VMAXPS as relu does.
func reluAVX512() {
	zero := []value{{"zero", U32(0)}}
	each512("reluAVX512", "16 values an iteration: 1 load, 2 vector operations, 1 store. The store binds.", zero, func(x VecPhysical, c map[string]VecPhysical) {
		VMAXPS(x, c["zero"], x)
		VADDPS(c["zero"], x, x) // −0 becomes +0
	})
}

// tanhAVX512 is tanh with vectors of 16 lanes, and the same bits.
func tanhAVX512() {
	values := append([]value{
		{"signBit", U32(1 << 31)}, {"minusTwo", F32(-2)}, {"tanhSmall", F32(-1.1)},
		{"tanh3", F32(-0x1.55554ap-2)}, {"tanh5", F32(0x1.110d26p-3)}, {"tanh7", F32(-0x1.b9287ap-5)},
		{"tanh9", F32(0x1.593d06p-6)}, {"tanh11", F32(-0x1.9b3042p-8)},
	}, expValues...)
	each512("tanhAVX512", "16 values an iteration: 30 vector operations, 14 of them FMA, and a division. The operations bind.", values, func(x VecPhysical, c map[string]VecPhysical) {
		sign, a, e, y, p, s := Z1, x, Z2, Z3, Z4, Z5
		VANDPS(c["signBit"], x, sign)
		VXORPS(sign, x, a)
		VMULPS(c["minusTwo"], a, e)
		const greater = 0x1e // false for NaN, which thereby stays NaN
		VCMPPS(Imm(greater), c["tanhSmall"], e, K3)

		// y = 1 − 2E/(1+E)
		exp512(c, e, Z6, Z7, Z8)
		VADDPS(c["one"], e, y)
		VADDPS(e, e, e)
		VDIVPS(y, e, e)
		VSUBPS(e, c["one"], y)

		// p = a + a³·p(a²), which replaces y where a is small
		VMULPS(a, a, s)
		VMOVAPS(c["tanh11"], p)
		for _, next := range []string{"tanh9", "tanh7", "tanh5", "tanh3"} {
			VFMADD213PS(c[next], s, p)
		}
		VMULPS(s, p, p)
		VFMADD213PS(a, a, p)

		VBLENDMPS(p, y, K3, x)
		VORPS(sign, x, x)
	})
}

// geluAVX512 is gelu with vectors of 16 lanes, and the same bits.
func geluAVX512() {
	values := append([]value{
		{"absMask", U32(1<<31 - 1)}, {"signBit", U32(1 << 31)}, {"geluMost", F32(14)},
		{"minusHalf", F32(-0.5)}, {"half", F32(0.5)},
		{"geluP1", F32(0x1.bc824ep-2)}, {"geluP2", F32(0x1.70d8a6p-3)},
		{"geluP3", F32(0x1.442a1ap-5)}, {"geluP4", F32(0x1.0353c4p-8)},
		{"geluQ1", F32(0x1.aa8356p+0)}, {"geluQ2", F32(0x1.3084d2p+0)}, {"geluQ3", F32(0x1.d84280p-2)},
		{"geluQ4", F32(0x1.964fd6p-4)}, {"geluQ5", F32(0x1.450372p-7)},
	}, expValues...)
	each512("geluAVX512", "16 values an iteration: 33 vector operations, 20 of them FMA, and a division. The operations bind.", values, func(x VecPhysical, c map[string]VecPhysical) {
		a, rest, t, p, q := Z1, Z2, Z3, Z4, Z5
		VANDPS(c["absMask"], x, a)
		VMINPS(c["geluMost"], a, a)

		// t + rest = −a²/2 exactly
		VMULPS(c["minusHalf"], a, rest)
		VMULPS(rest, a, t)
		VFMSUB213PS(t, a, rest)
		exp512(c, t, Z4, Z5, Z6)
		VFMADD213PS(t, t, rest)
		e := rest

		VMOVAPS(c["geluP4"], p)
		for _, next := range []string{"geluP3", "geluP2", "geluP1", "half"} {
			VFMADD213PS(c[next], a, p)
		}
		VMOVAPS(c["geluQ5"], q)
		for _, next := range []string{"geluQ4", "geluQ3", "geluQ2", "geluQ1", "one"} {
			VFMADD213PS(c[next], a, q)
		}
		VMULPS(a, p, p)
		VDIVPS(q, p, p)
		VMULPS(e, p, p)

		// max(x, −0) − tail: VMAXPS takes its first operand for two zeros or NaN
		VMAXPS(x, c["signBit"], x)
		VSUBPS(p, x, x)
	})
}
