package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// probes measure the CPU: what no kernel can be faster than.
func probes() {
	y := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11}
	z := []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11,
		Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23}
	fmaProbe("fmaAVX2", 8, y, Y15, VXORPS)
	fmaProbe("fmaAVX512", 16, z, Z31, VPXORD)
	loadsProbe("loadsAVX2", 8, y[:8])
	loadsProbe("loadsAVX512", 16, z[:8])
}

// fmaProbe adds 1·1 to every lane of every sum until n additions are done. An FMA
// takes four cycles, five on the oldest, and two can start in each: ten sums
// suffice.
func fmaProbe(name string, lanes int, sums []VecPhysical, one VecPhysical, xor func(...Op)) {
	TEXT(name, NOSPLIT, "func(n int) float32")
	n := RCX
	Load(Param("n"), n)
	MOVL(U32(0x3f800000), EAX)
	VMOVD(EAX, one.AsX())
	VBROADCASTSS(one.AsX(), one)
	for _, s := range sums {
		xor(s, s, s)
	}

	block := lanes * len(sums)
	Comment(
		fmt.Sprintf("CX: multiply-adds left. %s-%s: sums. %s: 1.", sums[0].Asm(), sums[len(sums)-1].Asm(), one.Asm()),
		fmt.Sprintf("%d multiply-adds an iteration: %d FMA.", block, len(sums)),
	)
	Label("block")
	for _, s := range sums {
		VFMADD231PS(one, one, s)
	}
	SUBQ(U32(uint32(block)), n)
	JG(LabelRef("block"))

	Comment("All sums are the same, and whole numbers: no order of adding them rounds.")
	for _, s := range sums[1:] {
		VADDPS(s, sums[0], sums[0])
	}
	if lanes == 16 {
		VEXTRACTF64X4(Imm(1), sums[0], one.AsY())
		VADDPS(one.AsY(), sums[0].AsY(), sums[0].AsY())
	}
	fold(VADDPS, sums[1].AsY().(VecPhysical), sums[0].AsY().(VecPhysical))
	VZEROUPPER()
	Store(sums[0].AsX(), ReturnIndex(0))
	RET()
}

// loadsProbe reads the slice again and again into registers that nothing uses.
func loadsProbe(name string, lanes int, registers []VecPhysical) {
	TEXT(name, NOSPLIT, "func(x []float32, times int)")
	x, length, times, next, left := RSI, RDX, RCX, RDI, RAX
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), length)
	Load(Param("times"), times)

	Comment("SI: x. DX: len(x). CX: times left. DI: next of x. AX: values left.")
	Label("again")
	MOVQ(x, next)
	MOVQ(length, left)

	const block = 128
	Comment(fmt.Sprintf("%d values an iteration: %d loads.", block, block/lanes))
	Label("block")
	for i := range block / lanes {
		VMOVUPS(Mem{Base: next, Disp: 4 * lanes * i}, registers[i%len(registers)])
	}
	ADDQ(U32(4*block), next)
	SUBQ(U32(block), left)
	JG(LabelRef("block"))
	DECQ(times)
	JG(LabelRef("again"))
	VZEROUPPER()
	RET()
}
