package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dots is a function that multiplies rows of a with rows of b. It has one vector of
// sums for each result and folds all in the same way, so that a result does not
// depend on the tile it is in: so many rows of a and four or one of b, or one row
// of a and eight, four or one of b.
type dots struct {
	name      string
	lanes     int // of a vector
	tall      int // rows of a tile that is more than one high
	registers []VecPhysical
	// mask sets the lanes of the last part of the depth from their number in CX;
	// load moves those.
	mask func(n GPPhysical)
	load func(m Mem, v VecPhysical)
}

var (
	dotsDst, dotsA, dotsB    = RDI, RSI, RBX
	dotsNextA, dotsNextB     = R12, RAX
	dotsDepth, dotsColumns   = RCX, R8
	dotsRow                  = dotsNextA // when the depth is done
	strideB3, spare1, spare2 = R11, R9, R10
)

func (d dots) write() {
	TEXT(d.name, NOSPLIT, "func(dst, a, b *float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32)")
	Load(Param("depth"), dotsDepth)
	ANDQ(Imm(uint64(d.lanes-1)), dotsDepth)
	d.mask(dotsDepth)
	Load(Param("a"), dotsA)
	Load(Param("strideA"), strideA)
	Load(Param("strideB"), strideB)
	LEAQ(Mem{Base: strideB, Index: strideB, Scale: 2}, strideB3)
	CMPQ(param("height"), Imm(1))
	JNE(LabelRef("tall"))

	LEAQ(Mem{Base: strideB, Index: strideB, Scale: 4}, spare1)
	LEAQ(Mem{Base: strideB3, Index: strideB, Scale: 4}, spare2)
	d.rows("single", 1, 8, 4, 1)
	Label("tall")
	LEAQ(Mem{Base: strideA, Index: strideA, Scale: 2}, spare1)
	d.rows("rows", d.tall, 4, 1)
	Label("done")
	VZEROUPPER()
	RET()
}

// rows is the loop over so many rows of a at a time, and in it that over rows of b,
// as many at a time as each of widths in turn.
func (d dots) rows(label string, height int, widths ...int) {
	Label(label)
	Load(Param("dst"), dotsDst)
	Load(Param("b"), dotsB)
	Load(Param("cols"), dotsColumns)
	for _, width := range widths {
		d.tile(height, width)
	}
	Load(Param("strideDst"), dotsRow)
	for range height {
		ADDQ(strideA, dotsA)
		ADDQ(dotsRow, param("dst"))
	}
	DECQ(param("count"))
	JNE(LabelRef(label))
	JMP(LabelRef("done"))
}

// tile is the loop over tiles of one size.
func (d dots) tile(height, width int) {
	size := fmt.Sprintf("%dx%d", height, width)
	sums, a, b := d.registers[:height*width], d.registers[height*width:][:height], d.registers[height*width+height]

	SUBQ(Imm(uint64(width)), dotsColumns)
	JL(LabelRef("end" + size))
	Label("columns" + size)
	for _, s := range sums {
		VXORPS(s.AsX(), s.AsX(), s.AsX())
	}
	MOVQ(dotsA, dotsNextA)
	MOVQ(dotsB, dotsNextB)
	Load(Param("depth"), dotsDepth)

	step := func(load func(m Mem, v VecPhysical)) {
		for i := range height {
			load(row(dotsNextA, i, strideA, spare1, nil, nil), a[i])
		}
		for j := range width {
			load(row(dotsNextB, j, strideB, strideB3, spare1, spare2), b)
			for i := range height {
				VFMADD231PS(b, a[i], sums[i*width+j])
			}
		}
	}
	SUBQ(Imm(uint64(d.lanes)), dotsDepth)
	JL(LabelRef("tail" + size))
	Comment(
		"R12, AX: next of the first rows of a, b. DX, R13: bytes to the next rows. CX: depth after these.",
		fmt.Sprintf("%s: sums.", span(sums)),
		fmt.Sprintf("%d rows by %d rows by %d values an iteration: %d loads, %d FMA.", height, width, d.lanes, height+width, height*width),
	)
	Label("depth" + size)
	step(func(m Mem, v VecPhysical) { VMOVUPS(m, v) })
	ADDQ(Imm(uint64(4*d.lanes)), dotsNextA)
	ADDQ(Imm(uint64(4*d.lanes)), dotsNextB)
	SUBQ(Imm(uint64(d.lanes)), dotsDepth)
	JGE(LabelRef("depth" + size))
	Label("tail" + size)
	TESTQ(U32(uint32(d.lanes-1)), dotsDepth)
	JEQ(LabelRef("fold" + size))
	step(d.load)

	Label("fold" + size)
	tmp, scale := a[0], b.AsX()
	VBROADCASTSS(param("scale"), scale)
	MOVQ(dotsDst, dotsRow)
	for i := range height {
		if i > 0 {
			ADDQ(param("strideDst"), dotsRow)
		}
		for j := 0; j < width; j += 4 {
			s := sums[i*width+j:][:min(4, width)]
			d.fold(s, tmp)
			low := s[0].AsX()
			VMULPS(scale, low, low)
			if width == 1 {
				VMOVSS(low, Mem{Base: dotsRow})
			} else {
				VMOVUPS(low, Mem{Base: dotsRow, Disp: 4 * j})
			}
		}
	}
	ADDQ(Imm(uint64(4*width)), dotsDst)
	LEAQ(Mem{Base: dotsB, Index: strideB, Scale: uint8(width)}, dotsB)
	SUBQ(Imm(uint64(width)), dotsColumns)
	JGE(LabelRef("columns" + size))
	Label("end" + size)
	ADDQ(Imm(uint64(width)), dotsColumns)
}

// fold adds the lanes of one vector, or of each of four, to the lowest lanes of the
// first: the halves of a quarter, its neighbours, then the quarters. It uses tmp.
func (d dots) fold(v []VecPhysical, tmp VecPhysical) {
	if len(v) == 4 {
		for i := range 2 {
			VUNPCKHPS(v[2*i+1], v[2*i], tmp)
			VUNPCKLPS(v[2*i+1], v[2*i], v[2*i])
			VADDPS(tmp, v[2*i], v[2*i])
		}
		VUNPCKHPD(v[2], v[0], tmp)
		VUNPCKLPD(v[2], v[0], v[0])
	} else {
		VPERMILPD(Imm(uint64(1<<(d.lanes/2)-1)/3), v[0], tmp) // 0101…
		VADDPS(tmp, v[0], v[0])
		VPERMILPS(Imm(0xb1), v[0], tmp)
	}
	VADDPS(tmp, v[0], v[0])
	if d.lanes == 16 {
		VEXTRACTF64X4(Imm(1), v[0], tmp.AsY())
		VADDPS(tmp.AsY(), v[0].AsY(), v[0].AsY())
		VEXTRACTF32X4(Imm(1), v[0].AsY(), tmp.AsX())
	} else {
		VEXTRACTF128(Imm(1), v[0], tmp.AsX())
	}
	VADDPS(tmp.AsX(), v[0].AsX(), v[0].AsX())
}
