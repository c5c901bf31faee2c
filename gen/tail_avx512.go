package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A tail is here the last 0 to 15 values of a slice; the low four bits of n count
// them. Nothing is read or written beyond it.
//
// A mask makes one move of it, but one of 64 bytes: a load waits for every store in
// flight to those, also under a mask and beyond the slice, and then for all that the
// store waits for. Masks are therefore for slices that are only read, and others are
// moved in exact pieces, as in tail.go.

// tailMask is the mask of a tail.
var tailMask = K1

// masked sets the first n lanes of tailMask, n below 16. n is CX; it uses AX.
func masked(n GPPhysical) {
	if n != RCX {
		panic("only CX counts a shift")
	}
	MOVL(U32(1), EAX)
	SHLL(CL, EAX)
	DECL(EAX)
	KMOVW(EAX, tailMask)
}

// loadTail512 is loadTail for 16 lanes: eight values go first, into lanes 8 to 15.
// It moves src and uses low and tmp.
func loadTail512(n, src GPPhysical, v, low, tmp VecPhysical) {
	VMOVAPS(v.AsY(), low.AsY())
	TESTQ(U32(8), n)
	JEQ(LabelRef("loadLow"))
	VINSERTF64X4(Imm(1), Mem{Base: src}, v, v)
	ADDQ(Imm(32), src)
	Label("loadLow")
	loadTail(n, src, low.AsY().(VecPhysical), tmp.AsY().(VecPhysical))
	VINSERTF64X4(Imm(0), low.AsY(), v, v)
}

// storeTail512 writes what loadTail512 reads. It moves dst.
func storeTail512(n, dst GPPhysical, v VecPhysical) {
	TESTQ(U32(8), n)
	JEQ(LabelRef("storeLow"))
	VEXTRACTF64X4(Imm(1), v, Mem{Base: dst})
	ADDQ(Imm(32), dst)
	Label("storeLow")
	storeTail(n, dst, v.AsY().(VecPhysical))
}

// storeFirst512 is storeFirst for vectors of 16 lanes: eight lanes first.
func storeFirst512(name string, n, dst GPPhysical, v, tmp VecPhysical) {
	low := v.AsY().(VecPhysical)
	TESTQ(U32(8), n)
	JEQ(LabelRef(name + "Four"))
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(Imm(32), dst)
	VEXTRACTF64X4(Imm(1), v, low)
	Label(name + "Four")
	storeFirst(name, n, dst, low, tmp.AsY().(VecPhysical))
}
