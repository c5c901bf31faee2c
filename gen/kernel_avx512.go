package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dotAVX512 is dot with vectors of 16 lanes.
func dotAVX512() {
	TEXT("dotAVX512", NOSPLIT, "func(a, b []float32) float32")
	a, b, n := RSI, RDI, RCX
	sum := zmm[:4]
	x, y := Z4, Z5

	multiply := func(sum ...VecPhysical) {
		for i, s := range sum {
			VMOVUPS(at512(a, i), x)
			VFMADD231PS(at512(b, i), x, s)
		}
		ADDQ(U32(uint32(64*len(sum))), a)
		ADDQ(U32(uint32(64*len(sum))), b)
	}

	Load(Param("a").Base(), a)
	Load(Param("b").Base(), b)
	Load(Param("a").Len(), n)
	zero512(sum...)
	SUBQ(Imm(64), n)
	JL(LabelRef("rest"))

	Comment(
		"SI, DI: next of a, b. CX: values after this block. Z0-Z3: sums. Z4: values of a.",
		"64 values an iteration: 8 loads, 4 FMA. At two loads a cycle the loads bind.",
	)
	Label("block")
	multiply(sum...)
	SUBQ(Imm(64), n)
	JGE(LabelRef("block"))

	Comment("Fewer than 64 are left, and the low six bits of CX still count them.")
	Label("rest")
	TESTQ(U32(32), n)
	JEQ(LabelRef("sixteen"))
	multiply(sum[:2]...)
	Label("sixteen")
	TESTQ(U32(16), n)
	JEQ(LabelRef("tail"))
	multiply(sum[2])
	Label("tail")
	ANDL(Imm(15), n.As32())
	JEQ(LabelRef("fold"))
	masked(n)
	VMOVUPS_Z(at512(a, 0), tailMask, x)
	VMOVUPS_Z(at512(b, 0), tailMask, y)
	VFMADD231PS(y, x, sum[3])

	Label("fold")
	fold512(VADDPS, x, sum...)
	VZEROUPPER()
	Store(sum[0].AsX(), ReturnIndex(0))
	RET()
}

// maximumAVX512 is maximum with vectors of 16 lanes.
func maximumAVX512() {
	TEXT("maxAVX512", NOSPLIT, "func(x []float32, m float32) float32")
	x, n := RSI, RCX
	top, v, tmp := zmm[:4], Z4, Z6

	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("m", 24), top[0])
	for _, t := range top[1:] {
		VMOVAPS(top[0], t)
	}
	SUBQ(Imm(64), n)
	JL(LabelRef("rest"))

	Comment(
		"SI: next of x. CX: values after this block. Z0-Z3: largest so far.",
		"64 values an iteration: 4 loads, 4 VMAXPS.",
	)
	Label("block")
	for i, t := range top {
		VMAXPS(at512(x, i), t, t)
	}
	ADDQ(U32(256), x)
	SUBQ(Imm(64), n)
	JGE(LabelRef("block"))

	Comment("Fewer than 64 are left, and the low six bits of CX still count them.")
	Label("rest")
	TESTQ(U32(32), n)
	JEQ(LabelRef("sixteen"))
	VMAXPS(at512(x, 0), top[0], top[0])
	VMAXPS(at512(x, 1), top[1], top[1])
	ADDQ(U32(128), x)
	Label("sixteen")
	TESTQ(U32(16), n)
	JEQ(LabelRef("tail"))
	VMAXPS(at512(x, 0), top[2], top[2])
	ADDQ(Imm(64), x)
	Label("tail")
	TESTQ(U32(15), n)
	JEQ(LabelRef("fold"))
	VMOVAPS(top[3], v)
	loadTail512(n, x, v, Z5, tmp)
	VMAXPS(v, top[3], top[3])

	Label("fold")
	fold512(VMAXPS, tmp, top...)
	VZEROUPPER()
	Store(top[0].AsX(), ReturnIndex(0))
	RET()
}

// expSumAVX512 is expSum with vectors of 16 lanes.
func expSumAVX512() {
	TEXT("expSumAVX512", NOSPLIT, "func(dst, x []float32, m float32) float32")
	dst, x, n := RDI, RSI, RCX
	sum, m, t, tmp := Z0, Z1, Z2, Z3

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("m", 48), m)
	c := broadcast(expValues...)
	zero512(sum)
	SUBQ(Imm(16), n)
	JL(LabelRef("tail"))

	Comment(
		"DI, SI: next of dst, x. CX: values after this vector. Z0: sum. Z1: m. Z2: x-m, then e^(x-m).",
		"Z21-Z31: constants.",
		"16 values an iteration: 16 vector operations, 9 of them FMA. They bind.",
	)
	Label("vector")
	VMOVUPS(at512(x, 0), t)
	VSUBPS(m, t, t)
	exp512(c, t, Z3, Z4, Z5)
	VADDPS(t, sum, sum)
	VMOVUPS(t, at512(dst, 0))
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), dst)
	SUBQ(Imm(16), n)
	JGE(LabelRef("vector"))

	Comment("The low four bits of CX count the tail. Lanes it has not are -Inf and add 0.")
	Label("tail")
	TESTQ(U32(15), n)
	JEQ(LabelRef("fold"))
	VBROADCASTSS(single("negInf", U32(0xff800000)), t)
	loadTail512(n, x, t, Z4, tmp)
	VSUBPS(m, t, t)
	exp512(c, t, Z3, Z4, Z5)
	VADDPS(t, sum, sum)
	storeTail512(n, dst, t)

	Label("fold")
	fold512(VADDPS, tmp, sum)
	VZEROUPPER()
	Store(sum.AsX(), ReturnIndex(0))
	RET()
}

// scaleAVX512 is scale with vectors of 16 lanes.
func scaleAVX512() {
	TEXT("scaleAVX512", NOSPLIT, "func(x []float32, s float32)")
	x, n := RDI, RCX
	s, v := Z0, Z1

	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("s", 24), s)
	SUBQ(Imm(16), n)
	JL(LabelRef("tail"))

	Comment(
		"DI: next of x. CX: values after this vector. Z0: s. Z1: products.",
		"16 values an iteration: 1 load, 1 VMULPS, 1 store. The store binds.",
	)
	Label("vector")
	VMULPS(at512(x, 0), s, v)
	VMOVUPS(v, at512(x, 0))
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JGE(LabelRef("vector"))

	Label("tail")
	TESTQ(U32(15), n)
	JEQ(LabelRef("done"))
	zero512(v)
	MOVQ(x, RSI)
	loadTail512(n, RSI, v, Z2, Z3)
	VMULPS(s, v, v)
	storeTail512(n, x, v)
	Label("done")
	VZEROUPPER()
	RET()
}
