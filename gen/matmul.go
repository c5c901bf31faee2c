package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// matMul are the products of matrices.
func matMul() {
	ymm := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	mask := func(n GPPhysical) { firstLanes(n, Y15) }
	load := func(m Mem, v VecPhysical) { VMASKMOVPS(m, Y15, v) }
	tiles{
		name: "tilesAVX2", bytes: 32, vectors: 2, registers: ymm,
		tallest: map[int]int{4: 1, 2: 3, 1: 6, 0: 6}, partAt: 0,
		mask: mask, load: load, store: func(v VecPhysical, m Mem) { VMASKMOVPS(v, Y15, m) },
	}.write()
	dots{name: "rowDotsAVX2", lanes: 8, tall: 2, registers: ymm, mask: mask, load: load}.write()
}

// matMulAVX512 are the same on AVX-512.
func matMulAVX512() {
	zmm := []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
	}
	mask := func(n GPPhysical) {
		MOVL(U32(1), EAX)
		SHLL(CL, EAX)
		DECL(EAX)
		KMOVW(EAX, K1)
	}
	load := func(m Mem, v VecPhysical) { VMOVUPS_Z(m, K1, v) }
	tiles{
		name: "tilesAVX512", bytes: 64, vectors: 1, registers: zmm,
		tallest: map[int]int{4: 3, 2: 8, 1: 8}, partAt: 4,
		mask: mask, load: load, store: func(v VecPhysical, m Mem) { VMOVUPS(v, K1, m) },
	}.write()
	dots{name: "rowDotsAVX512", lanes: 16, tall: 4, registers: zmm, mask: mask, load: load}.write()
}

// tiles is a function that computes tiles of a product below each other, of equal
// height and width. The results of a tile stay in registers while the depth goes
// by. A tile of few rows is several panels wide: an FMA takes four cycles and two
// can start in each, so it takes eight vectors of results to keep them busy.
type tiles struct {
	name      string
	bytes     int // of a vector
	vectors   int // of a panel of 16 columns
	registers []VecPhysical
	// tallest is the most rows of a tile by its width in panels. Width 0 is one
	// vector, for the columns beyond the last whole panel.
	tallest map[int]int
	// Tiles of up to partAt panels have only some columns in the last vector. mask
	// sets which from their number in CX; load and store move those.
	partAt int
	mask   func(columns GPPhysical)
	load   func(m Mem, v VecPhysical)
	store  func(v VecPhysical, m Mem)
}

// The registers of all tiles. Offsets of five and seven rows are for tiles that
// are too tall to have more than two panels.
var (
	tileDst, tileStart           = RDI, RSI
	tileA, tileDepth, tilePanels = RAX, RCX, R12
	tileB                        = []GPPhysical{RBX, R8, R9, R10}
	strideA, strideB             = RDX, R13
	stride3, stride5, stride7    = R11, R9, R10
)

func (t tiles) write() {
	TEXT(t.name, NOSPLIT, "func(dst, start, a, b *float32, count, height, panels, columns, depth, strideDst, strideStart, strideA, strideB, panel int)")
	Load(Param("columns"), tileDepth)
	t.mask(tileDepth)
	Load(Param("dst"), tileDst)
	Load(Param("start"), tileStart)
	Load(Param("strideA"), strideA)
	Load(Param("strideB"), strideB)
	LEAQ(Mem{Base: strideA, Index: strideA, Scale: 2}, stride3)
	Load(Param("panels"), tilePanels)
	Load(Param("height"), tileDepth)
	for _, panels := range []int{2, 1, 4, 0} {
		if t.tallest[panels] == 0 {
			continue
		}
		CMPQ(tilePanels, Imm(uint64(panels)))
		JNE(LabelRef(fmt.Sprintf("not%d", panels)))
		for height := t.tallest[panels]; height > 0; height-- {
			CMPQ(tileDepth, Imm(uint64(height)))
			JEQ(LabelRef(fmt.Sprintf("size%dx%d", height, panels)))
		}
		Label(fmt.Sprintf("not%d", panels))
	}
	Label("done")
	VZEROUPPER()
	RET()
	for _, panels := range []int{2, 1, 4, 0} {
		for height := t.tallest[panels]; height > 0; height-- {
			t.tile(height, panels)
		}
	}
}

// tile is the loop over tiles of one size.
func (t tiles) tile(height, panels int) {
	size := fmt.Sprintf("%dx%d", height, panels)
	width := max(1, panels*t.vectors)
	part := func(v int) bool { return panels <= t.partAt && v == width-1 }
	load := func(m Mem, v int, to VecPhysical) {
		if part(v) {
			t.load(m, to)
		} else {
			VMOVUPS(m, to)
		}
	}
	sum := func(i, v int) VecPhysical { return t.registers[i*width+v] }
	spare := t.registers[height*width:]
	b := tileB[:max(1, panels)]
	// The tallest tiles are for many rows, that is time to fetch the next panels to
	// the L2 cache. With few rows it would only be in the way.
	tall, ahead := panels > 0 && height == t.tallest[1], tilePanels

	Label("size" + size)
	if tall {
		IMULQ(param("panel"), ahead)
	}
	if height > 4 {
		LEAQ(Mem{Base: strideA, Index: strideA, Scale: 4}, stride5)
	}
	if height > 7 {
		LEAQ(Mem{Base: stride3, Index: strideA, Scale: 4}, stride7)
	}

	Label("tile" + size)
	for i := range height {
		for v := range width {
			load(Mem{Base: tileStart, Disp: t.bytes * v}, v, sum(i, v))
		}
		ADDQ(param("strideStart"), tileStart)
	}
	MOVQ(param("a"), tileA)
	MOVQ(param("b"), b[0])
	for p := range b[1:] {
		MOVQ(b[p], b[p+1])
		ADDQ(param("panel"), b[p+1])
	}
	MOVQ(param("depth"), tileDepth)

	// step adds the products of the next value of every row, k values on.
	step := func(k int) {
		a := func(i int) Mem { return row(tileA, i, strideA, stride3, stride5, stride7).Offset(4 * k) }
		at := func(v int) Mem {
			m := Mem{Base: b[v/t.vectors], Disp: v % t.vectors * t.bytes}
			if k == 1 {
				m = m.Idx(strideB, 1)
			}
			return m
		}
		// What there is less of stays in registers.
		if height < width {
			for i := range height {
				VBROADCASTSS(a(i), spare[i])
			}
			for v := range width {
				load(at(v), v, spare[height])
				for i := range height {
					VFMADD231PS(spare[height], spare[i], sum(i, v))
				}
			}
			return
		}
		for v := range width {
			load(at(v), v, spare[v])
		}
		for i := range height {
			VBROADCASTSS(a(i), spare[width])
			for v := range width {
				VFMADD231PS(spare[v], spare[width], sum(i, v))
			}
		}
	}
	SUBQ(Imm(2), tileDepth)
	JL(LabelRef("rest" + size))
	Comment(
		fmt.Sprintf("AX: next of the first row of a. DX: bytes to the next row. %s: next row of b.", names(b)),
		fmt.Sprintf("R13: bytes to the one after. CX: depth after these two. %s: sums.", span(t.registers[:height*width])),
		fmt.Sprintf("%d rows by %d vectors by 2 values an iteration: %d loads, %d FMA.", height, width, 2*(height+width), 2*height*width),
	)
	Label("depth" + size)
	step(0)
	step(1)
	if tall {
		for _, p := range b {
			PREFETCHT1(Mem{Base: p, Index: ahead, Scale: 1})
			PREFETCHT1(Mem{Base: p, Index: ahead, Scale: 1, Disp: 64})
		}
	}
	ADDQ(Imm(8), tileA)
	for _, p := range b {
		LEAQ(Mem{Base: p, Index: strideB, Scale: 2}, p)
	}
	SUBQ(Imm(2), tileDepth)
	JGE(LabelRef("depth" + size))
	Label("rest" + size)
	TESTQ(U32(1), tileDepth)
	JEQ(LabelRef("store" + size))
	step(0)

	Label("store" + size)
	if part(width-1) && panels == 0 {
		CMPQ(param("columns"), Imm(8))
		JNE(LabelRef("part" + size))
		t.rows(height, width, func(m Mem, i, v int) { VMOVUPS(sum(i, v), m) })
		t.next(size, height)
		Label("part" + size)
	}
	t.rows(height, width, func(m Mem, i, v int) {
		if part(v) {
			t.store(sum(i, v), m)
		} else {
			VMOVUPS(sum(i, v), m)
		}
	})
	t.next(size, height)
}

// rows goes down the rows of the tile in dst.
func (t tiles) rows(height, width int, store func(m Mem, i, v int)) {
	for i := range height {
		for v := range width {
			store(Mem{Base: tileDst, Disp: t.bytes * v}, i, v)
		}
		ADDQ(param("strideDst"), tileDst)
	}
}

// next goes to the next tile, if there is one; dst and start are there already.
func (t tiles) next(size string, height int) {
	IMUL3Q(Imm(uint64(height)), strideA, tileA)
	ADDQ(tileA, param("a"))
	DECQ(param("count"))
	JNE(LabelRef("tile" + size))
	JMP(LabelRef("done"))
}

// row is the first value of row i of the rows that begin a stride apart; it needs
// the strides of three, five and seven rows for row 3, 5 and 7, three also for 6.
func row(first GPPhysical, i int, stride, stride3, stride5, stride7 GPPhysical) Mem {
	m := Mem{Base: first}
	switch i {
	case 0:
		return m
	case 3, 6:
		return m.Idx(stride3, uint8(i/3))
	case 5:
		return m.Idx(stride5, 1)
	case 7:
		return m.Idx(stride7, 1)
	}
	return m.Idx(stride, uint8(i))
}

// names lists registers for a comment.
func names(registers []GPPhysical) string {
	var all []string
	for _, r := range registers {
		all = append(all, r.Asm())
	}
	return strings.Join(all, ", ")
}

// span is the first and the last of registers for a comment.
func span(registers []VecPhysical) string {
	return registers[0].Asm() + "-" + registers[len(registers)-1].Asm()
}

// param is an argument on the stack.
func param(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}
