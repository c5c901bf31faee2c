package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose transposes blocks of 8 by 8 values: pairs of rows are interleaved, then
// pairs of pairs, and at last the halves of the vectors change places.
func transpose() {
	TEXT("transposeAVX2", NOSPLIT, "func(dst, a *float32, count, strideDst, strideA int)")
	Comment(
		"DI: dst of this block. SI: a of this block. DX: blocks left. CX, AX: bytes to the",
		"next row of dst, of a. R8, R9: three times these. R10: dst and a of four rows on.",
		"Y0-Y7: rows of a, then four columns of four rows. Y8-Y15: pairs of rows, then rows of dst.",
	)
	dst, a, count, strideDst, strideA, stride3Dst, stride3A, half := RDI, RSI, RDX, RCX, RAX, R8, R9, R10
	Load(Param("dst"), dst)
	Load(Param("a"), a)
	Load(Param("count"), count)
	Load(Param("strideDst"), strideDst)
	Load(Param("strideA"), strideA)
	LEAQ(Mem{Base: strideDst, Index: strideDst, Scale: 2}, stride3Dst)
	LEAQ(Mem{Base: strideA, Index: strideA, Scale: 2}, stride3A)
	y := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	rows := func(first GPPhysical, stride, stride3 GPPhysical) [4]Mem {
		return [4]Mem{
			{Base: first},
			{Base: first, Index: stride, Scale: 1},
			{Base: first, Index: stride, Scale: 2},
			{Base: first, Index: stride3, Scale: 1},
		}
	}

	Comment("8 by 8 values an iteration: 8 loads, 24 shuffles, 8 stores.")
	Label("block")
	LEAQ(Mem{Base: a, Index: strideA, Scale: 4}, half)
	for i, m := range rows(a, strideA, stride3A) {
		VMOVUPS(m, y[i])
	}
	for i, m := range rows(half, strideA, stride3A) {
		VMOVUPS(m, y[4+i])
	}
	for i := 0; i < 8; i += 2 { // of rows i and i+1: columns 0 0 1 1 and 2 2 3 3 of both halves
		VUNPCKLPS(y[i+1], y[i], y[8+i])
		VUNPCKHPS(y[i+1], y[i], y[9+i])
	}
	for i := 0; i < 8; i += 4 { // of four rows: column 0, 1, 2, 3 of both halves
		VUNPCKLPD(y[10+i], y[8+i], y[i])
		VUNPCKHPD(y[10+i], y[8+i], y[i+1])
		VUNPCKLPD(y[11+i], y[9+i], y[i+2])
		VUNPCKHPD(y[11+i], y[9+i], y[i+3])
	}
	for i := range 4 { // of eight rows: columns i and i+4
		VPERM2F128(U8(0x20), y[4+i], y[i], y[8+i])
		VPERM2F128(U8(0x31), y[4+i], y[i], y[12+i])
	}
	for i, m := range rows(dst, strideDst, stride3Dst) {
		VMOVUPS(y[8+i], m)
	}
	LEAQ(Mem{Base: dst, Index: strideDst, Scale: 4}, half)
	for i, m := range rows(half, strideDst, stride3Dst) {
		VMOVUPS(y[12+i], m)
	}
	ADDQ(Imm(32), dst)
	LEAQ(Mem{Base: a, Index: strideA, Scale: 8}, a)
	DECQ(count)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
