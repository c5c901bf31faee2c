package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// softmaxes is a function that does all steps of a softmax of at least one value. With
// few values, most of the time of the steps goes into calls, and into stores and loads
// of the tail: here the last vector stays in a register from step to step.
type softmaxes struct {
	name      string
	lanes     int
	registers []VecPhysical
	budget    string // of the exponentials of a vector
	// constants returns where negInf, lowest and one are, in all lanes.
	constants func() map[string]Op
	exp       func(t, z, k, p, keep VecPhysical)
	spread    func(op func(...Op), v, tmp VecPhysical)
	loadTail  func(n, src GPPhysical, v, low, tmp VecPhysical)
	storeTail func(n, dst GPPhysical, v VecPhysical)
}

// softmax is that on AVX2.
func softmax() {
	softmaxes{
		name: "softmaxAVX2", lanes: 8, budget: "8 values an iteration: 17 vector operations, 9 of them FMA. They bind.",
		registers: []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9},
		constants: func() map[string]Op {
			return map[string]Op{
				"negInf": constant("negInf", U32(0xff800000)),
				"lowest": constant("lowest", U32(0xff7fffff)),
				"one":    constant("one", F32(1)),
			}
		},
		exp: exp, spread: spread, storeTail: storeTail,
		loadTail: func(n, src GPPhysical, v, _, tmp VecPhysical) { loadTail(n, src, v, tmp) },
	}.write()
}

// softmaxAVX512 is that on AVX-512.
func softmaxAVX512() {
	var c map[string]VecPhysical
	softmaxes{
		name: "softmaxAVX512", lanes: 16, budget: "16 values an iteration: 16 vector operations, 9 of them FMA. They bind.",
		registers: zmm,
		constants: func() map[string]Op {
			c = broadcast(append([]value{{"negInf", U32(0xff800000)}, {"lowest", U32(0xff7fffff)}}, expValues...)...)
			return map[string]Op{"negInf": c["negInf"], "lowest": c["lowest"], "one": c["one"]}
		},
		exp:    func(t, z, k, p, _ VecPhysical) { exp512(c, t, z, k, p) },
		spread: spread512, loadTail: loadTail512, storeTail: storeTail512,
	}.write()
}

func (s softmaxes) write() {
	TEXT(s.name, NOSPLIT, "func(dst, x []float32)")
	dst, x, n, end, next, left := RDI, RSI, RCX, RBX, RAX, RDX
	last, t, sum, top := s.registers[0], s.registers[1], s.registers[2], s.registers[6:10]
	m, tmp := top[0], s.registers[3]
	size := 4 * s.lanes
	vector := func(p GPPhysical, i int) Mem { return Mem{Base: p, Index: next, Scale: 1, Disp: size * i} }

	// each runs f on all vectors but the last, one after the other.
	each := func(name, budget string, f func()) {
		XORL(next.As32(), next.As32())
		Comment(budget)
		Label(name)
		f()
		ADDQ(Imm(uint64(size)), next)
		CMPQ(next, end)
		JNE(LabelRef(name))
	}

	var c map[string]Op
	// begin takes m and the exponentials of the last vector, and divide the reciprocal
	// of the sum and the results of that vector.
	begin := func() {
		s.spread(VMAXPS, m, tmp)
		VSUBPS(m, last, last)
		s.exp(last, t, s.registers[3], s.registers[4], s.registers[5])
		VMOVAPS(last, sum)
	}
	divide := func() {
		s.spread(VADDPS, sum, tmp)
		VMOVUPS(c["one"], t)
		VMAXPS(sum, t, sum) // its first operand for NaN
		VDIVPS(sum, t, sum)
		VMULPS(sum, last, last)
	}

	Load(Param("dst").Base(), dst)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), n)
	c = s.constants()
	LEAQ(Mem{Base: n, Disp: -1}, end)
	ANDQ(I32(int32(-s.lanes)), end)
	SHLQ(Imm(2), end)
	XORL(next.As32(), next.As32())

	v := s.registers
	Comment(
		"DI, SI: dst, x. CX: values. BX: bytes before the last vector. AX: bytes that are done. "+v[0].Asm()+": the last",
		"vector; lanes it has not are -Inf and add 0. "+span(top)+": largest so far, then "+m.Asm()+": m. "+v[1].Asm()+": x-m, then",
		"e^(x-m). "+v[2].Asm()+": sum, then its reciprocal.",
	)
	TESTQ(U32(uint32(s.lanes-1)), n)
	JNE(LabelRef("part"))
	VMOVUPS(Mem{Base: x, Index: end, Scale: 1}, last)
	JMP(LabelRef("largest"))
	Label("part")
	LEAQ(Mem{Base: x, Index: end, Scale: 1}, left)
	VMOVUPS(c["negInf"], last)
	s.loadTail(n, left, last, t, tmp)

	Label("largest")
	VMAXPS(c["lowest"], last, m)
	TESTQ(end, end)
	JNE(LabelRef("several"))
	begin()
	divide()
	JMP(LabelRef("end"))

	Label("several")
	MOVQ(end, left)
	SUBQ(U32(uint32(4*size)), left)
	JL(LabelRef("max"))
	for _, v := range top[1:] {
		VMOVAPS(top[0], v)
	}
	Comment(fmt.Sprintf("%d values an iteration: 4 loads, 4 VMAXPS.", 4*s.lanes))
	Label("block")
	for i, v := range top {
		VMAXPS(vector(x, i), v, v)
	}
	ADDQ(U32(uint32(4*size)), next)
	SUBQ(U32(uint32(4*size)), left)
	JGE(LabelRef("block"))
	VMAXPS(top[1], top[0], top[0])
	VMAXPS(top[3], top[2], top[2])
	VMAXPS(top[2], top[0], top[0])
	Label("max")
	CMPQ(next, end)
	JEQ(LabelRef("exps"))
	VMAXPS(vector(x, 0), m, m)
	ADDQ(Imm(uint64(size)), next)
	JMP(LabelRef("max"))
	Label("exps")
	begin()
	each("exp", s.budget, func() {
		VMOVUPS(vector(x, 0), t)
		VSUBPS(m, t, t)
		s.exp(t, v[3], v[4], v[5], v[7])
		VADDPS(t, sum, sum)
		VMOVUPS(t, vector(dst, 0))
	})
	divide()
	each("scale", fmt.Sprintf("%d values an iteration: 1 load, 1 VMULPS, 1 store. The store binds.", s.lanes), func() {
		VMULPS(vector(dst, 0), sum, t)
		VMOVUPS(t, vector(dst, 0))
	})
	ADDQ(end, dst)
	Label("end")
	TESTQ(U32(uint32(s.lanes-1)), n)
	JNE(LabelRef("store"))
	VMOVUPS(last, Mem{Base: dst})
	VZEROUPPER()
	RET()
	Label("store")
	s.storeTail(n, dst, last)
	VZEROUPPER()
	RET()
}

// spread combines all lanes of v as fold does, and leaves the result in each. It uses
// tmp.
func spread(op func(...Op), v, tmp VecPhysical) {
	VPERM2F128(Imm(1), v, v, tmp) // the other half
	op(tmp, v, v)
	VPERMILPD(Imm(5), v, tmp) // the other pair
	op(tmp, v, v)
	VPERMILPS(Imm(0xb1), v, tmp) // the neighbour
	op(tmp, v, v)
}

// spread512 is spread for vectors of 16 lanes.
func spread512(op func(...Op), v, tmp VecPhysical) {
	VSHUFF64X2(Imm(0x4e), v, v, tmp) // the other half
	op(tmp, v, v)
	VSHUFF64X2(Imm(0xb1), v, v, tmp) // the other quarter
	op(tmp, v, v)
	VPERMILPD(Imm(0x55), v, tmp) // the other pair
	op(tmp, v, v)
	VPERMILPS(Imm(0xb1), v, tmp) // the neighbour
	op(tmp, v, v)
}
