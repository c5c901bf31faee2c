package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maximum is the first step of a softmax. A NaN may get lost in it, since VMAXPS
// takes the other operand; the exponential then has it.
func maximum() {
	TEXT("maxAVX2", NOSPLIT, "func(x []float32, m float32) float32")
	x, n := RSI, RCX
	top := []VecPhysical{Y0, Y1, Y2, Y3}
	v, tmp := Y4, Y5

	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("m", 24), top[0])
	for _, t := range top[1:] {
		VMOVAPS(top[0], t)
	}
	SUBQ(Imm(32), n)
	JL(LabelRef("rest"))

	Comment(
		"SI: next of x. CX: values after this block. Y0-Y3: largest so far.",
		"32 values an iteration: 4 loads, 4 VMAXPS.",
	)
	Label("block")
	for i, t := range top {
		VMAXPS(at(x, i), t, t)
	}
	ADDQ(Imm(128), x)
	SUBQ(Imm(32), n)
	JGE(LabelRef("block"))

	Comment("Fewer than 32 are left, and the low five bits of CX still count them.")
	Label("rest")
	TESTQ(U32(16), n)
	JEQ(LabelRef("eight"))
	VMAXPS(at(x, 0), top[0], top[0])
	VMAXPS(at(x, 1), top[1], top[1])
	ADDQ(Imm(64), x)
	Label("eight")
	TESTQ(U32(8), n)
	JEQ(LabelRef("tail"))
	VMAXPS(at(x, 0), top[2], top[2])
	ADDQ(Imm(32), x)
	Label("tail")
	VMOVAPS(top[3], v)
	loadTail(n, x, v, tmp)
	VMAXPS(v, top[3], top[3])

	fold(VMAXPS, tmp, top...)
	VZEROUPPER()
	Store(top[0].AsX(), ReturnIndex(0))
	RET()
}

// expSum is the second step. One vector at a time is enough: the next ones run
// ahead while it waits.
func expSum() {
	TEXT("expSumAVX2", NOSPLIT, "func(dst, x []float32, m float32) float32")
	dst, x, n := RDI, RSI, RCX
	sum, m, t, tmp := Y0, Y1, Y2, Y3

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("m", 48), m)
	zero(sum)
	SUBQ(Imm(8), n)
	JL(LabelRef("tail"))

	Comment(
		"DI, SI: next of dst, x. CX: values after this vector. Y0: sum. Y1: m. Y2: x-m, then e^(x-m).",
		"8 values an iteration: 17 vector operations, 9 of them FMA. They bind.",
	)
	Label("vector")
	VMOVUPS(at(x, 0), t)
	VSUBPS(m, t, t)
	exp(t, Y3, Y4, Y5, Y6)
	VADDPS(t, sum, sum)
	VMOVUPS(t, at(dst, 0))
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(8), n)
	JGE(LabelRef("vector"))

	Comment("The low three bits of CX count the tail. Lanes it has not are -Inf and add 0.")
	Label("tail")
	TESTQ(U32(7), n)
	JEQ(LabelRef("fold"))
	VMOVUPS(constant("negInf", U32(0xff800000)), t)
	loadTail(n, x, t, tmp)
	VSUBPS(m, t, t)
	exp(t, Y3, Y4, Y5, Y6)
	VADDPS(t, sum, sum)
	storeTail(n, dst, t)

	Label("fold")
	fold(VADDPS, tmp, sum)
	VZEROUPPER()
	Store(sum.AsX(), ReturnIndex(0))
	RET()
}

// scale is the last step. It reads the tail in the pieces that expSum has just
// written, so that no load waits for two stores.
func scale() {
	TEXT("scaleAVX2", NOSPLIT, "func(x []float32, s float32)")
	x, n := RDI, RCX
	s, v, tmp := Y0, Y1, Y2

	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	VBROADCASTSS(NewParamAddr("s", 24), s)
	SUBQ(Imm(8), n)
	JL(LabelRef("tail"))

	Comment(
		"DI: next of x. CX: values after this vector. Y0: s. Y1: products.",
		"8 values an iteration: 1 load, 1 VMULPS, 1 store. The store binds.",
	)
	Label("vector")
	VMULPS(at(x, 0), s, v)
	VMOVUPS(v, at(x, 0))
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), n)
	JGE(LabelRef("vector"))

	Label("tail")
	zero(v)
	MOVQ(x, RSI)
	loadTail(n, RSI, v, tmp)
	VMULPS(s, v, v)
	storeTail(n, x, v)
	VZEROUPPER()
	RET()
}
