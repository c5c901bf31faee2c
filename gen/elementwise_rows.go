package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// layerNorm reads a row three times and writes it once. Nothing but the order of
// its sums binds: while a row waits for a sum, the next ones cannot start, but the
// passes before and after overlap.
func layerNorm() {
	TEXT("layerNormAVX2", NOSPLIT, "func(dst, x, weight, bias []float32)")
	dst, x, weight, bias := RDI, RSI, RDX, RBX
	n, end, offset, left, p := R8, R9, RAX, RCX, R10
	sum := []VecPhysical{Y0, Y1, Y2, Y3}
	v, w, tmp := Y4, Y5, Y6
	mean, scale, inverse, mask := Y7, Y8, Y9, Y10

	// pass runs over one row: whole on vector i after offset, part on the tail.
	pass := func(name, budget string, whole func(i int), part func()) {
		XORQ(offset, offset)
		MOVQ(n, left)
		SUBQ(Imm(32), left)
		JL(LabelRef(name + "Eight"))
		Comment(budget)
		Label(name + "Block")
		for i := range sum {
			whole(i)
		}
		ADDQ(Imm(128), offset)
		SUBQ(Imm(32), left)
		JGE(LabelRef(name + "Block"))
		Label(name + "Eight")
		ADDQ(Imm(24), left)
		JL(LabelRef(name + "Tail"))
		Label(name + "Vector")
		whole(0)
		ADDQ(Imm(32), offset)
		SUBQ(Imm(8), left)
		JGE(LabelRef(name + "Vector"))
		Label(name + "Tail")
		TESTQ(U32(7), n)
		JEQ(LabelRef(name + "Done"))
		part()
		Label(name + "Done")
	}
	next := func(p GPPhysical, i int) Mem { return at(p, i).Idx(offset, 1) }

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), end)
	LEAQ(Mem{Base: x, Index: end, Scale: 4}, end)
	Load(Param("weight").Base(), weight)
	Load(Param("weight").Len(), n)
	Load(Param("bias").Base(), bias)
	MOVQ(n, left)
	ANDQ(Imm(7), left)
	firstLanes(left, mask)
	VXORPS(inverse.AsX(), inverse.AsX(), inverse.AsX())
	VCVTSI2SSQ(n, inverse.AsX(), inverse.AsX())
	VMOVSS(constant("one", F32(1)), tmp.AsX())
	VDIVSS(inverse.AsX(), tmp.AsX(), inverse.AsX())

	Comment(
		"DI, SI: row of dst, x. R9: end of x. DX, BX: weight, bias. R8: values of a row, AX: bytes of it",
		"that are done, CX: values after this block. Y0-Y3: sums. Y7: mean. Y8: 1/sqrt(variance + 1e-5).",
		"Y9: 1/n. Y10: mask of the tail.",
	)
	Label("row")
	zero(sum...)
	pass("sum", "32 values an iteration: 4 loads, 4 VADDPS.", func(i int) {
		VADDPS(next(x, i), sum[i], sum[i])
	}, func() {
		VMASKMOVPS(next(x, 0), mask, v)
		VADDPS(v, sum[3], sum[3])
	})
	fold(VADDPS, tmp, sum...)
	VMULSS(inverse.AsX(), sum[0].AsX(), sum[0].AsX())
	VBROADCASTSS(sum[0].AsX(), mean)

	zero(sum...)
	pass("square", "32 values an iteration: 4 loads, 4 VSUBPS, 4 FMA.", func(i int) {
		VMOVUPS(next(x, i), v)
		VSUBPS(mean, v, v)
		VFMADD231PS(v, v, sum[i])
	}, func() {
		VMASKMOVPS(next(x, 0), mask, v)
		VSUBPS(mean, v, v)
		VANDPS(mask, v, v)
		VFMADD231PS(v, v, sum[3])
	})
	fold(VADDPS, tmp, sum...)
	variance := sum[0].AsX()
	VMULSS(inverse.AsX(), variance, variance)
	VADDSS(constant("epsilon", F32(1e-5)), variance, variance)
	VSQRTSS(variance, variance, variance)
	VMOVSS(constant("one", F32(1)), tmp.AsX())
	VDIVSS(variance, tmp.AsX(), variance)
	VBROADCASTSS(variance, scale)

	normalise := func() {
		VSUBPS(mean, v, v)
		VMULPS(scale, v, v)
	}
	pass("write", "32 values an iteration: 12 loads, 8 vector operations, 4 FMA, 4 stores. The loads bind.", func(i int) {
		VMOVUPS(next(x, i), v)
		normalise()
		VMOVUPS(next(weight, i), w)
		VFMADD213PS(next(bias, i), w, v)
		VMOVUPS(v, next(dst, i))
	}, func() {
		VMASKMOVPS(next(x, 0), mask, v)
		normalise()
		VMASKMOVPS(next(weight, 0), mask, w)
		VMASKMOVPS(next(bias, 0), mask, tmp)
		VFMADD213PS(tmp, w, v)
		LEAQ(next(dst, 0), p)
		storeFirst("write", n, p, v, tmp)
	})

	LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, x)
	CMPQ(x, end)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// softmaxColumns goes down the rows three times for each strip of 8 columns: for
// the largest values, for exponentials and sums, and to scale. The strip of the
// last columns, under a mask, comes first, while no store to its cache lines is in
// flight.
func softmaxColumns() {
	TEXT("softmaxColumnsAVX2", NOSPLIT, "func(x []float32, rows, columns, stride int)")
	x, rows, columns, stride := RDI, R8, RCX, RBX
	row, left, part := RSI, RAX, R9
	v, tmp := Y0, Y1
	m, sum, one, mask := Y2, Y3, Y4, Y5

	// down runs f on every row of a strip.
	down := func(name, budget string, f func()) {
		MOVQ(x, row)
		MOVQ(rows, left)
		Comment(budget)
		Label(name)
		f()
		ADDQ(stride, row)
		DECQ(left)
		JNE(LabelRef(name))
	}
	strip := func(name string, load, store func(name string)) {
		VMOVUPS(constant("lowest", U32(0xff7fffff)), m)
		down(name+"Max", "8 values an iteration: 1 load, 1 VMAXPS.", func() {
			load("")
			VMAXPS(v, m, m)
		})
		zero(sum)
		down(name+"Exp", "8 values an iteration: 17 vector operations, 9 of them FMA. They bind.", func() {
			load("")
			VSUBPS(m, v, v)
			exp(v, Y6, Y7, Y8, Y9)
			VADDPS(v, sum, sum)
			store(name + "Exp")
		})
		VMAXPS(sum, one, sum) // its first operand for NaN
		VDIVPS(sum, one, sum)
		down(name+"Scale", "8 values an iteration: 1 load, 1 VMULPS, 1 store.", func() {
			load("")
			VMULPS(sum, v, v)
			store(name + "Scale")
		})
	}

	Load(Param("x").Base(), x)
	Load(Param("rows"), rows)
	Load(Param("columns"), columns)
	Load(Param("stride"), stride)
	SHLQ(Imm(2), stride)
	VMOVUPS(constant("one", F32(1)), one)

	Comment(
		"DI: the strip in the first row. SI: in this row. R8: rows. AX: rows after this. BX: bytes from row to",
		"row. Y0: of x. Y2: largest values. Y3: sums, then their reciprocals. Y4: 1. Y5: mask of the columns.",
	)
	MOVQ(columns, part)
	ANDQ(Imm(7), part)
	JEQ(LabelRef("whole"))
	firstLanes(part, mask)
	MOVQ(x, R10)
	MOVQ(columns, left)
	SUBQ(part, left)
	LEAQ(Mem{Base: x, Index: left, Scale: 4}, x)
	strip("part", func(string) { VMASKMOVPS(Mem{Base: row}, mask, v) }, func(name string) {
		MOVQ(row, R11)
		storeFirst(name, part, R11, v, tmp)
	})
	MOVQ(R10, x)

	Label("whole")
	SUBQ(Imm(8), columns)
	JL(LabelRef("done"))
	Label("strip")
	strip("strip", func(string) { VMOVUPS(Mem{Base: row}, v) }, func(string) { VMOVUPS(v, Mem{Base: row}) })
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), columns)
	JGE(LabelRef("strip"))
	Label("done")
	VZEROUPPER()
	RET()
}

// storeFirst writes the first lanes of v at dst, as many as the low three bits of n
// say: four lanes, then a pair, then a single one. It moves dst and uses tmp; v is
// lost. name makes its labels unique.
func storeFirst(name string, n, dst GPPhysical, v, tmp VecPhysical) {
	low, half := v.AsX(), tmp.AsX()
	TESTQ(U32(4), n)
	JEQ(LabelRef(name + "Pair"))
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(Imm(16), dst)
	VEXTRACTF128(Imm(1), v, low)
	Label(name + "Pair")
	TESTQ(U32(2), n)
	JEQ(LabelRef(name + "Single"))
	VMOVLPS(low, Mem{Base: dst})
	ADDQ(Imm(8), dst)
	VMOVHLPS(low, low, half)
	VMOVAPS(half, low)
	Label(name + "Single")
	TESTQ(U32(1), n)
	JEQ(LabelRef(name + "Stored"))
	VMOVSS(low, Mem{Base: dst})
	Label(name + "Stored")
}
