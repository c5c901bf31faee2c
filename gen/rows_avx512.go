package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// layerNormAVX512 is layerNorm with vectors of 16 lanes. Rows of 16, 32, 48 and 64
// values have loops of their own: such a row, weight and bias stay in registers, and
// as rows are short, more of them are under way at a time.
func layerNormAVX512() {
	TEXT("layerNormAVX512", NOSPLIT, "func(dst, x, weight, bias []float32)")
	dst, x, weight, bias := RDI, RSI, RDX, RBX
	n, end, offset, left, p := R8, R9, RAX, RCX, R10
	sum := zmm[:4]
	v, w, tmp := Z4, Z5, Z6
	mean, scale, inverse, one, epsilon := Z7, Z8, X9, X10, X11

	// meanOf and scaleOf take the sums of a row to what it is normalised with.
	meanOf := func(sums ...VecPhysical) {
		fold512(VADDPS, tmp, sums...)
		VMULSS(inverse, sum[0].AsX(), sum[0].AsX())
		VBROADCASTSS(sum[0].AsX(), mean)
	}
	scaleOf := func(squares ...VecPhysical) {
		fold512(VADDPS, tmp, squares...)
		variance := sum[0].AsX()
		VMULSS(inverse, variance, variance)
		VADDSS(epsilon, variance, variance)
		VSQRTSS(variance, variance, variance)
		VDIVSS(variance, one, variance)
		VBROADCASTSS(variance, scale)
	}

	// pass runs over one row: whole on vector i after offset, part on the tail.
	pass := func(name, budget string, whole func(i int), part func()) {
		XORL(offset.As32(), offset.As32())
		MOVQ(n, left)
		SUBQ(Imm(64), left)
		JL(LabelRef(name + "Sixteen"))
		Comment(budget)
		Label(name + "Block")
		for i := range sum {
			whole(i)
		}
		ADDQ(U32(256), offset)
		SUBQ(Imm(64), left)
		JGE(LabelRef(name + "Block"))
		Label(name + "Sixteen")
		ADDQ(Imm(48), left)
		JL(LabelRef(name + "Tail"))
		Label(name + "Vector")
		whole(0)
		ADDQ(Imm(64), offset)
		SUBQ(Imm(16), left)
		JGE(LabelRef(name + "Vector"))
		Label(name + "Tail")
		TESTQ(U32(15), n)
		JEQ(LabelRef(name + "Done"))
		part()
		Label(name + "Done")
	}
	next := func(p GPPhysical, i int) Mem { return at512(p, i).Idx(offset, 1) }

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), end)
	LEAQ(Mem{Base: x, Index: end, Scale: 4}, end)
	Load(Param("weight").Base(), weight)
	Load(Param("weight").Len(), n)
	Load(Param("bias").Base(), bias)
	MOVQ(n, left)
	ANDL(Imm(15), left.As32())
	masked(left)
	VMOVSS(single("one", F32(1)), one)
	VMOVSS(single("epsilon", F32(1e-5)), epsilon)
	VXORPS(inverse, inverse, inverse)
	VCVTSI2SSQ(n, inverse, inverse)
	VDIVSS(inverse, one, inverse)
	const longest = 4
	for vectors := 1; vectors <= longest; vectors++ {
		CMPQ(n, Imm(uint64(16*vectors)))
		JEQ(LabelRef(fmt.Sprintf("short%d", 16*vectors)))
	}

	Comment(
		"DI, SI: row of dst, x. R9: end of x. DX, BX: weight, bias. R8: values of a row, AX: bytes of it",
		"that are done, CX: values after this block. Z0-Z3: sums. Z7: mean. Z8: 1/sqrt(variance + 1e-5).",
		"X9: 1/n. X10: 1. X11: 1e-5. K1: mask of the tail.",
	)
	Label("row")
	zero512(sum...)
	pass("sum", "64 values an iteration: 4 loads, 4 VADDPS.", func(i int) {
		VADDPS(next(x, i), sum[i], sum[i])
	}, func() {
		VADDPS(next(x, 0), sum[3], tailMask, sum[3])
	})
	meanOf(sum...)

	zero512(sum...)
	pass("square", "64 values an iteration: 4 loads, 4 VSUBPS, 4 FMA.", func(i int) {
		VMOVUPS(next(x, i), v)
		VSUBPS(mean, v, v)
		VFMADD231PS(v, v, sum[i])
	}, func() {
		VMOVUPS_Z(next(x, 0), tailMask, v)
		VSUBPS_Z(mean, v, tailMask, v)
		VFMADD231PS(v, v, sum[3])
	})
	scaleOf(sum...)

	normalise := func() {
		VSUBPS(mean, v, v)
		VMULPS(scale, v, v)
	}
	pass("write", "64 values an iteration: 12 loads, 8 vector operations, 4 FMA, 4 stores. The loads bind.", func(i int) {
		VMOVUPS(next(x, i), v)
		normalise()
		VMOVUPS(next(weight, i), w)
		VFMADD213PS(next(bias, i), w, v)
		VMOVUPS(v, next(dst, i))
	}, func() {
		VMOVUPS_Z(next(x, 0), tailMask, v)
		normalise()
		VMOVUPS_Z(next(weight, 0), tailMask, w)
		VMOVUPS_Z(next(bias, 0), tailMask, tmp)
		VFMADD213PS(tmp, w, v)
		LEAQ(next(dst, 0), p)
		storeFirst512("write", n, p, v, tmp)
	})

	LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, x)
	CMPQ(x, end)
	JNE(LabelRef("row"))
	Label("done")
	VZEROUPPER()
	RET()

	for vectors := 1; vectors <= longest; vectors++ {
		label := fmt.Sprintf("short%d", 16*vectors)
		row, w, b := zmm[16:][:vectors], zmm[20:][:vectors], zmm[24:][:vectors]
		Label(label)
		for i := range row {
			VMOVUPS(at512(weight, i), w[i])
			VMOVUPS(at512(bias, i), b[i])
		}
		Comment(
			fmt.Sprintf("DI, SI: row of dst, x. R9: end of x. %s: the row. %s, %s: weight, bias.", span(row), span(w), span(b)),
			"Z0: sums. Z7: mean. Z8: 1/sqrt(variance + 1e-5). X9: 1/n. X10: 1. X11: 1e-5.",
		)
		Label(label + "Row")
		for i, v := range row {
			VMOVUPS(at512(x, i), v)
			if i == 0 {
				VMOVAPS(v, sum[0])
			} else {
				VADDPS(v, sum[0], sum[0])
			}
		}
		meanOf(sum[0])
		for i, v := range row {
			VSUBPS(mean, v, v)
			if i == 0 {
				VMULPS(v, v, sum[0])
			} else {
				VFMADD231PS(v, v, sum[0])
			}
		}
		scaleOf(sum[0])
		for i, v := range row {
			VMULPS(scale, v, v)
			VFMADD213PS(b[i], w[i], v)
			VMOVUPS(v, at512(dst, i))
		}
		ADDQ(U32(uint32(64*vectors)), x)
		ADDQ(U32(uint32(64*vectors)), dst)
		CMPQ(x, end)
		JNE(LabelRef(label + "Row"))
		JMP(LabelRef("done"))
	}
}

// softmaxColumnsAVX512 is softmaxColumns with strips of 16 columns, whole ones only.
func softmaxColumnsAVX512() {
	TEXT("softmaxColumnsAVX512", NOSPLIT, "func(x []float32, rows, columns, stride int)")
	x, rows, columns, stride := RDI, R8, RCX, RBX
	row, left := RSI, RAX
	v, m, sum := Z0, Z1, Z2

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

	Load(Param("x").Base(), x)
	Load(Param("rows"), rows)
	Load(Param("columns"), columns)
	Load(Param("stride"), stride)
	SHLQ(Imm(2), stride)
	c := broadcast(append([]value{{"lowest", U32(0xff7fffff)}}, expValues...)...)

	Comment(
		"DI: the strip in the first row. SI: in this row. R8: rows. AX: rows after this. BX: bytes from row to",
		"row. Z0: of x. Z1: largest values. Z2: sums, then their reciprocals. Z20-Z31: constants.",
	)
	Label("strip")
	VMOVAPS(c["lowest"], m)
	down("max", "16 values an iteration: 1 load, 1 VMAXPS.", func() {
		VMOVUPS(Mem{Base: row}, v)
		VMAXPS(v, m, m)
	})
	zero512(sum)
	down("exp", "16 values an iteration: 16 vector operations, 9 of them FMA. They bind.", func() {
		VMOVUPS(Mem{Base: row}, v)
		VSUBPS(m, v, v)
		exp512(c, v, Z3, Z4, Z5)
		VADDPS(v, sum, sum)
		VMOVUPS(v, Mem{Base: row})
	})
	VMAXPS(sum, c["one"], sum) // its first operand for NaN
	VDIVPS(sum, c["one"], sum)
	down("scale", "16 values an iteration: 1 load, 1 VMULPS, 1 store.", func() {
		VMULPS(Mem{Base: row}, sum, v)
		VMOVUPS(v, Mem{Base: row})
	})
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), columns)
	JNE(LabelRef("strip"))
	VZEROUPPER()
	RET()
}
