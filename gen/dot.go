package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dot has four sums, because an FMA takes four cycles and two loads make one a
// cycle.
func dot() {
	TEXT("dotAVX2", NOSPLIT, "func(a, b []float32) float32")
	a, b, n := RSI, RDI, RCX
	sum := []VecPhysical{Y0, Y1, Y2, Y3}
	x, y, mask := Y4, Y5, Y6

	// multiply adds the products of the next vectors, one to each of sum.
	multiply := func(sum ...VecPhysical) {
		for i, s := range sum {
			VMOVUPS(at(a, i), x)
			VFMADD231PS(at(b, i), x, s)
		}
		ADDQ(Imm(uint64(32*len(sum))), a)
		ADDQ(Imm(uint64(32*len(sum))), b)
	}

	Load(Param("a").Base(), a)
	Load(Param("b").Base(), b)
	Load(Param("a").Len(), n)
	zero(sum...)
	SUBQ(Imm(32), n)
	JL(LabelRef("rest"))

	Comment(
		"SI, DI: next of a, b. CX: values after this block. Y0-Y3: sums. Y4: values of a.",
		"32 values an iteration: 8 loads, 4 FMA. At two loads a cycle the loads bind.",
	)
	Label("block")
	multiply(sum...)
	SUBQ(Imm(32), n)
	JGE(LabelRef("block"))

	Comment("Fewer than 32 are left, and the low five bits of CX still count them.")
	Label("rest")
	TESTQ(U32(16), n)
	JEQ(LabelRef("eight"))
	multiply(sum[:2]...)
	Label("eight")
	TESTQ(U32(8), n)
	JEQ(LabelRef("tail"))
	multiply(sum[2])
	Label("tail")
	ANDQ(Imm(7), n)
	JEQ(LabelRef("fold"))
	firstLanes(n, mask)
	VMASKMOVPS(at(a, 0), mask, x)
	VMASKMOVPS(at(b, 0), mask, y)
	VFMADD231PS(y, x, sum[3])

	Label("fold")
	fold(VADDPS, x, sum...)
	VZEROUPPER()
	Store(sum[0].AsX(), ReturnIndex(0))
	RET()
}
