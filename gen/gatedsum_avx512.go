package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The registers of gatedSumAVX512.
var (
	gatedDst, gatedGates, gatedRegions = RDI, RSI, RDX // regions: the strip's first row
	gatedColumns, gatedRows            = RCX, R8
	gatedGate, gatedRow, gatedLeft     = R9, R10, R11
	gatedStride, gatedStride3          = RBX, R12
)

// gatedSumAVX512 is gatedSum with vectors of 16 lanes, on strips of 128 columns by
// one row; the rest are strips of 64, 32 and 16 by more rows at a time, and one under
// a mask.
func gatedSumAVX512() {
	TEXT("gatedSumAVX512", NOSPLIT, "func(dst, gates, regions []float32)")
	Load(Param("dst").Base(), gatedDst)
	Load(Param("dst").Len(), gatedColumns)
	Load(Param("gates").Base(), gatedGates)
	Load(Param("gates").Len(), gatedRows)
	Load(Param("regions").Base(), gatedRegions)
	MOVQ(gatedColumns, gatedStride)
	SHLQ(Imm(2), gatedStride)
	LEAQ(Mem{Base: gatedStride, Index: gatedStride, Scale: 2}, gatedStride3)

	SUBQ(U32(128), gatedColumns)
	JL(LabelRef("strip64"))
	Comment("A strip of columns stays in registers for all rows.")
	Label("strip128")
	gatedStrip(128, 1, "128 values an iteration: 9 loads, 8 FMA. At two loads a cycle the loads bind.")
	SUBQ(U32(128), gatedColumns)
	JGE(LabelRef("strip128"))

	Comment("Fewer than 128 are left, and the low seven bits of CX still count them.")
	for _, strip := range []struct {
		columns, rows, next int
		budget              string
	}{
		{64, 2, 32, "128 values an iteration: 10 loads, 8 FMA."},
		{32, 4, 16, "128 values an iteration: 12 loads, 8 FMA."},
		{16, 4, 0, "64 values an iteration: 8 loads, 4 FMA."},
		{0, 4, 0, "As above, K1: mask of the columns."},
	} {
		label := fmt.Sprintf("strip%d", strip.columns)
		Label(label)
		if strip.columns > 0 {
			TESTQ(U32(uint32(strip.columns)), gatedColumns)
			JEQ(LabelRef(fmt.Sprintf("strip%d", strip.next)))
		} else {
			ANDL(Imm(15), gatedColumns.As32())
			JEQ(LabelRef("done"))
			masked(gatedColumns)
		}
		gatedStrip(strip.columns, strip.rows, strip.budget)
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// gatedStrip adds all rows of a strip of columns to dst, so many rows at a time. With
// no columns it is the last strip, which has those of the mask.
func gatedStrip(columns, height int, budget string) {
	label, width, part := fmt.Sprintf("strip%d", columns), max(1, columns/16), columns == 0
	sums, gates := zmm[:width*height], zmm[8:]
	add := func(i int) {
		VBROADCASTSS(Mem{Base: gatedGate, Disp: 4 * i}, gates[i])
		for v, sum := range sums[i*width:][:width] {
			m := row(gatedRow, i, gatedStride, gatedStride3, nil, nil).Offset(64 * v)
			if part {
				VFMADD231PS(m, gates[i], tailMask, sum)
			} else {
				VFMADD231PS(m, gates[i], sum)
			}
		}
	}
	zero512(sums...)
	MOVQ(gatedGates, gatedGate)
	MOVQ(gatedRegions, gatedRow)
	MOVQ(gatedRows, gatedLeft)
	SUBQ(Imm(uint64(height)), gatedLeft)
	JL(LabelRef(label + "Last"))

	Comment(
		"R9: next gates. R10: next row. R11: rows after these. BX, R12: bytes of one and of three rows.",
		span(sums)+": sums. "+span(gates[:height])+": gates.",
		budget,
	)
	Label(label + "Rows")
	for i := range height {
		add(i)
	}
	ADDQ(Imm(uint64(4*height)), gatedGate)
	LEAQ(Mem{Base: gatedRow, Index: gatedStride, Scale: uint8(height)}, gatedRow)
	SUBQ(Imm(uint64(height)), gatedLeft)
	JGE(LabelRef(label + "Rows"))

	Label(label + "Last")
	ADDQ(Imm(uint64(height)), gatedLeft)
	JEQ(LabelRef(label + "Sum"))
	Label(label + "Row")
	add(0)
	ADDQ(Imm(4), gatedGate)
	ADDQ(gatedStride, gatedRow)
	DECQ(gatedLeft)
	JNE(LabelRef(label + "Row"))

	Label(label + "Sum")
	for ; height > 1; height /= 2 {
		for i := range height / 2 * width {
			VADDPS(sums[i+height/2*width], sums[i], sums[i])
		}
	}
	if part {
		VADDPS_Z(at512(gatedDst, 0), sums[0], tailMask, sums[0])
		MOVQ(gatedDst, gatedRow)
		storeFirst512(label, gatedColumns, gatedRow, sums[0], gates[0])
		return
	}
	for v, sum := range sums[:width] {
		VADDPS(at512(gatedDst, v), sum, sum)
		VMOVUPS(sum, at512(gatedDst, v))
	}
	ADDQ(U32(uint32(64*width)), gatedDst)
	ADDQ(U32(uint32(64*width)), gatedRegions)
}
