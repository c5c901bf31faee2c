//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

#define to     R0
#define from   R1
#define lhs    R2
#define rhs    R3
#define tiles  R4
#define rows   R5
#define width  R6
#define length R7
#define stepA  R8
#define stepB  R9
#define stride R10
#define left   R11
#define nextB  R12
#define a0     R13
#define a1     R14
#define a2     R15
#define a3     R19
#define c0     R20
#define c1     R21
#define c2     R22
#define c3     R23

// ROWS sets r0 to r3 to the rows that begin a stride apart. Where a tile has fewer,
// the last one stands for the others: it is computed again, to the same bits.
#define ROWS(first, step, r0, r1, r2, r3) \
	MOVD first, r0      \
	ADD  step, r0, r1   \
	CMP  $2, rows       \
	CSEL GE, r1, r0, r1 \
	ADD  step, r1, r2   \
	CMP  $3, rows       \
	CSEL GE, r2, r1, r2 \
	ADD  step, r2, r3   \
	CMP  $4, rows       \
	CSEL GE, r3, r2, r3

// FMLA4 adds a lane of a row's values, times four vectors of b, to the row's sums.
#define FMLA4(FMLA, row, s0, s1, s2, s3) \
	FMLA(row, 4, s0) \
	FMLA(row, 5, s1) \
	FMLA(row, 6, s2) \
	FMLA(row, 7, s3)

// WIDE1 and WIDE4 add the products of a lane of one row, or of four, and 16 columns.
#define WIDE1(FMLA) \
	VLD1.P (nextB)(stepB), [V4.S4, V5.S4, V6.S4, V7.S4] \
	FMLA4(FMLA, 0, 16, 17, 18, 19)

#define WIDE4(FMLA) \
	WIDE1(FMLA)                    \
	FMLA4(FMLA, 1, 20, 21, 22, 23) \
	FMLA4(FMLA, 2, 24, 25, 26, 27) \
	FMLA4(FMLA, 3, 28, 29, 30, 31)

// NARROW adds those of four rows and one vector of b.
#define NARROW(FMLA) \
	FMLA(0, 4, 16) \
	FMLA(1, 4, 20) \
	FMLA(2, 4, 24) \
	FMLA(3, 4, 28)

#define FOUR(FMLA) \
	VLD1.P (nextB)(stepB), [V4.S4] \
	NARROW(FMLA)

#define SINGLE(FMLA) \
	FMOVS (nextB), F4         \
	ADD   stepB, nextB, nextB \
	NARROW(FMLA)

// LOAD4 and LOAD1 take the next four values of four rows, or the next one in lane 0.
#define LOAD4 \
	VLD1.P 16(a0), [V0.S4] \
	VLD1.P 16(a1), [V1.S4] \
	VLD1.P 16(a2), [V2.S4] \
	VLD1.P 16(a3), [V3.S4]

#define LOAD1 \
	FMOVS.P 4(a0), F0 \
	FMOVS.P 4(a1), F1 \
	FMOVS.P 4(a2), F2 \
	FMOVS.P 4(a3), F3

// func tilesNEON(dst, start, a, b *float32, count, height, columns, depth, strideDst, strideStart, strideA, strideB int)
//
// to, from and lhs point to the tile. a0-a3: next of its rows. nextB: next row of rhs.
// left: depth after these values. V0-V3: of the rows. V4-V7: of b. V16-V31: sums, four
// vectors for each row.
TEXT ·tilesNEON(SB), NOSPLIT, $0-96
	MOVD dst+0(FP), to
	MOVD start+8(FP), from
	MOVD a+16(FP), lhs
	MOVD b+24(FP), rhs
	MOVD count+32(FP), tiles
	MOVD height+40(FP), rows
	MOVD columns+48(FP), width
	MOVD depth+56(FP), length
	MOVD strideA+80(FP), stepA
	MOVD strideB+88(FP), stepB

tile:
	MOVD strideStart+72(FP), stride
	ROWS(from, stride, c0, c1, c2, c3)
	MADD stride, from, rows, from
	ROWS(lhs, stepA, a0, a1, a2, a3)
	MOVD rhs, nextB
	SUBS $4, length, left
	CMP  $4, width
	BEQ  four
	BLT  single

	VLD1 (c0), [V16.S4, V17.S4, V18.S4, V19.S4]
	CMP  $1, rows
	BEQ  row
	VLD1 (c1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1 (c2), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1 (c3), [V28.S4, V29.S4, V30.S4, V31.S4]
	CMP  $0, left
	BLT  wideRest

	// 4 rows by 16 columns by 4 values an iteration: 20 vector loads, 64 FMLA.
wide:
	LOAD4
	WIDE4(VFMLA0)
	WIDE4(VFMLA1)
	WIDE4(VFMLA2)
	WIDE4(VFMLA3)
	SUBS $4, left, left
	BGE  wide

wideRest:
	ADDS $4, left, left
	BEQ  wideStore

wideOne:
	LOAD1
	WIDE4(VFMLA0)
	SUBS $1, left, left
	BNE  wideOne

wideStore:
	MOVD strideDst+64(FP), stride
	ROWS(to, stride, c0, c1, c2, c3)
	VST1 [V16.S4, V17.S4, V18.S4, V19.S4], (c0)
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (c1)
	VST1 [V24.S4, V25.S4, V26.S4, V27.S4], (c2)
	VST1 [V28.S4, V29.S4, V30.S4, V31.S4], (c3)
	B    next

row:
	CMP $0, left
	BLT rowRest

	// 1 row by 16 columns by 4 values an iteration: 17 vector loads, 16 FMLA.
rowWide:
	VLD1.P 16(a0), [V0.S4]
	WIDE1(VFMLA0)
	WIDE1(VFMLA1)
	WIDE1(VFMLA2)
	WIDE1(VFMLA3)
	SUBS   $4, left, left
	BGE    rowWide

rowRest:
	ADDS $4, left, left
	BEQ  rowStore

rowOne:
	FMOVS.P 4(a0), F0
	WIDE1(VFMLA0)
	SUBS    $1, left, left
	BNE     rowOne

rowStore:
	VST1 [V16.S4, V17.S4, V18.S4, V19.S4], (to)
	MOVD strideDst+64(FP), stride
	B    next

four:
	VLD1 (c0), [V16.S4]
	VLD1 (c1), [V20.S4]
	VLD1 (c2), [V24.S4]
	VLD1 (c3), [V28.S4]
	CMP  $0, left
	BLT  fourRest

	// 4 rows by 4 columns by 4 values an iteration: 8 vector loads, 16 FMLA.
fourWide:
	LOAD4
	FOUR(VFMLA0)
	FOUR(VFMLA1)
	FOUR(VFMLA2)
	FOUR(VFMLA3)
	SUBS $4, left, left
	BGE  fourWide

fourRest:
	ADDS $4, left, left
	BEQ  fourStore

fourOne:
	LOAD1
	FOUR(VFMLA0)
	SUBS $1, left, left
	BNE  fourOne

fourStore:
	MOVD strideDst+64(FP), stride
	ROWS(to, stride, c0, c1, c2, c3)
	VST1 [V16.S4], (c0)
	VST1 [V20.S4], (c1)
	VST1 [V24.S4], (c2)
	VST1 [V28.S4], (c3)
	B    next

single:
	FMOVS (c0), F16
	FMOVS (c1), F20
	FMOVS (c2), F24
	FMOVS (c3), F28
	CMP   $0, left
	BLT   singleRest

	// 4 rows by 1 column by 4 values an iteration: 4 vector loads, 4 of b, 16 FMLA.
singleWide:
	LOAD4
	SINGLE(VFMLA0)
	SINGLE(VFMLA1)
	SINGLE(VFMLA2)
	SINGLE(VFMLA3)
	SUBS $4, left, left
	BGE  singleWide

singleRest:
	ADDS $4, left, left
	BEQ  singleStore

singleOne:
	LOAD1
	SINGLE(VFMLA0)
	SUBS $1, left, left
	BNE  singleOne

singleStore:
	MOVD  strideDst+64(FP), stride
	ROWS(to, stride, c0, c1, c2, c3)
	FMOVS F16, (c0)
	FMOVS F20, (c1)
	FMOVS F24, (c2)
	FMOVS F28, (c3)

next:
	MADD stride, to, rows, to
	MADD stepA, lhs, rows, lhs
	SUBS $1, tiles, tiles
	BNE  tile
	RET
