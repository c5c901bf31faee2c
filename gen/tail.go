package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A tail is the last 0 to 7 values of a slice; n is a register whose low three
// bits count them. Nothing is read or written beyond it.
//
// Slices that are only read may be read under a mask of firstLanes. It spans 32
// bytes, though, and the load waits for any store in flight to those, also beyond
// the slice. A masked store takes tens of cycles on AMD. Therefore slices that are
// written, and those that often lie beside them, are moved in exact pieces.

// firstLanes sets the first n lanes of mask, or all when n is 8 or more.
func firstLanes(n GPPhysical, mask VecPhysical) {
	VMOVD(n.As32(), mask.AsX())
	VPBROADCASTD(mask.AsX(), mask)
	VPCMPGTD(constant("lane", U32(0), U32(1), U32(2), U32(3), U32(4), U32(5), U32(6), U32(7)), mask, mask)
}

// loadTail reads the tail at src into lanes of v: a single value into lane 0, a
// pair into lanes 2 and 3, four values into lanes 4 to 7, in that order, each if
// n has the bit. The other lanes keep what they hold. It moves src and uses tmp.
func loadTail(n, src GPPhysical, v, tmp VecPhysical) {
	low := tmp.AsX()
	VMOVAPS(v.AsX(), low)
	piece(n, src, 1, "load", func(m Mem) { VINSERTPS(Imm(0), m, low, low) })
	piece(n, src, 2, "load", func(m Mem) { VMOVHPS(m, low, low) })
	piece(n, src, 4, "load", func(m Mem) { VINSERTF128(Imm(1), m, v, v) })
	VBLENDPS(Imm(0x0f), tmp, v, v)
}

// storeTail writes what loadTail reads. It moves dst.
func storeTail(n, dst GPPhysical, v VecPhysical) {
	piece(n, dst, 1, "store", func(m Mem) { VMOVSS(v.AsX(), m) })
	piece(n, dst, 2, "store", func(m Mem) { VMOVHPS(v.AsX(), m) })
	piece(n, dst, 4, "store", func(m Mem) { VEXTRACTF128(Imm(1), v, m) })
}

// piece moves size values at p when n has that bit, and p past them.
func piece(n, p GPPhysical, size int, label string, move func(Mem)) {
	next := label + map[int]string{1: "Pair", 2: "Four", 4: "End"}[size]
	TESTQ(U32(size), n)
	JEQ(LabelRef(next))
	move(Mem{Base: p})
	if size < 4 {
		ADDQ(Imm(uint64(4*size)), p)
	}
	Label(next)
}

// addTail adds the first n lanes of v, n below 8, to the tail at dst: four lanes,
// then a pair, then a single one. It moves dst and uses tmp; v is lost. It ends at
// the label done.
func addTail(n, dst GPPhysical, v, tmp VecPhysical) {
	low, half := v.AsX(), tmp.AsX()
	TESTQ(U32(4), n)
	JEQ(LabelRef("pair"))
	VADDPS(Mem{Base: dst}, low, half)
	VMOVUPS(half, Mem{Base: dst})
	ADDQ(Imm(16), dst)
	VEXTRACTF128(Imm(1), v, low)
	Label("pair")
	TESTQ(U32(2), n)
	JEQ(LabelRef("single"))
	VMOVSD(Mem{Base: dst}, half)
	VADDPS(half, low, half)
	VMOVLPS(half, Mem{Base: dst})
	ADDQ(Imm(8), dst)
	VMOVHLPS(low, low, low)
	Label("single")
	TESTQ(U32(1), n)
	JEQ(LabelRef("done"))
	VADDSS(Mem{Base: dst}, low, low)
	VMOVSS(low, Mem{Base: dst})
}
