package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gatedSum keeps a strip of columns in registers while it goes down all rows: 32
// columns by two rows, then 8 columns by four.
func gatedSum() {
	TEXT("gatedSumAVX2", NOSPLIT, "func(dst, gates, regions []float32)")
	dst, gates, regions := RDI, RSI, RDX // regions: the strip's first row
	columns, rows := RCX, R8
	gate, row, left := R9, R10, R11
	stride, stride3 := RBX, R12
	even, odd := []VecPhysical{Y0, Y1, Y2, Y3}, []VecPhysical{Y4, Y5, Y6, Y7}
	g, h, mask := Y8, Y9, Y10

	Load(Param("dst").Base(), dst)
	Load(Param("dst").Len(), columns)
	Load(Param("gates").Base(), gates)
	Load(Param("gates").Len(), rows)
	Load(Param("regions").Base(), regions)
	MOVQ(columns, stride)
	SHLQ(Imm(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)

	SUBQ(Imm(32), columns)
	JL(LabelRef("narrow"))
	Comment("A strip of 32 columns stays in Y0-Y3 (even rows) and Y4-Y7 (odd rows) for all rows.")
	Label("wide")
	zero(append(even, odd...)...)
	MOVQ(gates, gate)
	MOVQ(regions, row)
	MOVQ(rows, left)
	SUBQ(Imm(2), left)
	JL(LabelRef("wideLast"))

	Comment(
		"R9: next gates. R10: next row. R11: rows after these. BX: bytes of a row. Y8, Y9: gates.",
		"64 values an iteration: 10 loads, 8 FMA. At two loads a cycle the loads bind.",
	)
	Label("wideRows")
	VBROADCASTSS(Mem{Base: gate}, g)
	VBROADCASTSS(Mem{Base: gate, Disp: 4}, h)
	for i := range even {
		VFMADD231PS(at(row, i), g, even[i])
		VFMADD231PS(at(row, i).Idx(stride, 1), h, odd[i])
	}
	ADDQ(Imm(8), gate)
	LEAQ(Mem{Base: row, Index: stride, Scale: 2}, row)
	SUBQ(Imm(2), left)
	JGE(LabelRef("wideRows"))

	Label("wideLast")
	TESTQ(U32(1), left)
	JEQ(LabelRef("wideStore"))
	VBROADCASTSS(Mem{Base: gate}, g)
	for i := range even {
		VFMADD231PS(at(row, i), g, even[i])
	}
	Label("wideStore")
	for i := range even {
		VADDPS(odd[i], even[i], even[i])
		VADDPS(at(dst, i), even[i], even[i])
		VMOVUPS(even[i], at(dst, i))
	}
	ADDQ(Imm(128), dst)
	ADDQ(Imm(128), regions)
	SUBQ(Imm(32), columns)
	JGE(LabelRef("wide"))

	Comment("Strips of 8 columns, and the rest as one strip under a mask; Y0-Y3 hold four rows in turn.")
	Label("narrow")
	ADDQ(Imm(32), columns)
	JEQ(LabelRef("done"))
	Label("strip")
	sum := even
	zero(sum...)
	MOVQ(gates, gate)
	MOVQ(regions, row)
	MOVQ(rows, left)
	firstLanes(columns, mask)
	SUBQ(Imm(4), left)
	JL(LabelRef("rest"))

	Comment(
		"As above, R12: bytes of three rows, Y10: mask of the strip's columns.",
		"32 values an iteration: 8 loads, 4 FMA.",
	)
	Label("rows")
	for i, m := range []Mem{at(row, 0), at(row, 0).Idx(stride, 1), at(row, 0).Idx(stride, 2), at(row, 0).Idx(stride3, 1)} {
		VMASKMOVPS(m, mask, h)
		VBROADCASTSS(Mem{Base: gate, Disp: 4 * i}, g)
		VFMADD231PS(h, g, sum[i])
	}
	ADDQ(Imm(16), gate)
	LEAQ(Mem{Base: row, Index: stride, Scale: 4}, row)
	SUBQ(Imm(4), left)
	JGE(LabelRef("rows"))

	Label("rest")
	ADDQ(Imm(4), left)
	JEQ(LabelRef("sum"))
	Label("row")
	VMASKMOVPS(at(row, 0), mask, h)
	VBROADCASTSS(Mem{Base: gate}, g)
	VFMADD231PS(h, g, sum[0])
	ADDQ(Imm(4), gate)
	ADDQ(stride, row)
	DECQ(left)
	JNE(LabelRef("row"))

	Label("sum")
	VADDPS(sum[1], sum[0], sum[0])
	VADDPS(sum[3], sum[2], sum[2])
	VADDPS(sum[2], sum[0], sum[0])
	SUBQ(Imm(8), columns)
	JL(LabelRef("part"))
	VADDPS(at(dst, 0), sum[0], sum[0])
	VMOVUPS(sum[0], at(dst, 0))
	ADDQ(Imm(32), dst)
	ADDQ(Imm(32), regions)
	TESTQ(columns, columns)
	JNE(LabelRef("strip"))
	JMP(LabelRef("done"))
	Label("part")
	addTail(columns, dst, sum[0], h)
	Label("done")
	VZEROUPPER()
	RET()
}
