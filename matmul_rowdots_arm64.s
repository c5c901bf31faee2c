//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

#define to      R0
#define lhs     R1
#define rhs     R2
#define tiles   R3
#define rows    R4
#define columns R5
#define length  R6
#define stepA   R7
#define stepB   R8
#define left    R9
#define nextDst R10
#define nextB   R11
#define a0      R12
#define a1      R13
#define a2      R14
#define a3      R15
#define b0      R19
#define b1      R20
#define b2      R21
#define b3      R22
#define stride  R23
#define c1      R24
#define c2      R25
#define c3      R26

// ROWS sets r1 to r3 to the rows that follow r0 a step apart. Where a tile has
// fewer, the last one stands for the others: it is computed again, to the same bits.
#define ROWS(step, r0, r1, r2, r3) \
	ADD  step, r0, r1   \
	CMP  $2, rows       \
	CSEL GE, r1, r0, r1 \
	ADD  step, r1, r2   \
	CMP  $3, rows       \
	CSEL GE, r2, r1, r2 \
	ADD  step, r2, r3   \
	CMP  $4, rows       \
	CSEL GE, r3, r2, r3

// CLEAR and FMLA4 clear four sums, and add the values of four rows of b, or of a,
// times those of a row of the other.
#define CLEAR(s0, s1, s2, s3) \
	VEOR s0.B16, s0.B16, s0.B16 \
	VEOR s1.B16, s1.B16, s1.B16 \
	VEOR s2.B16, s2.B16, s2.B16 \
	VEOR s3.B16, s3.B16, s3.B16

#define FMLA4(row, v0, v1, v2, v3, s0, s1, s2, s3) \
	VFMLA v0.S4, row.S4, s0.S4 \
	VFMLA v1.S4, row.S4, s1.S4 \
	VFMLA v2.S4, row.S4, s2.S4 \
	VFMLA v3.S4, row.S4, s3.S4

// LOAD4 and LOAD1 take the next four values of four rows, or the next one and zeros.
#define LOAD4(r0, r1, r2, r3, v0, v1, v2, v3) \
	VLD1.P 16(r0), [v0.S4] \
	VLD1.P 16(r1), [v1.S4] \
	VLD1.P 16(r2), [v2.S4] \
	VLD1.P 16(r3), [v3.S4]

#define LOAD1(r0, r1, r2, r3, f0, f1, f2, f3) \
	FMOVS.P 4(r0), f0 \
	FMOVS.P 4(r1), f1 \
	FMOVS.P 4(r2), f2 \
	FMOVS.P 4(r3), f3

// TILE adds the products of four rows of a and four of b.
#define TILE \
	FMLA4(V0, V4, V5, V6, V7, V16, V17, V18, V19) \
	FMLA4(V1, V4, V5, V6, V7, V20, V21, V22, V23) \
	FMLA4(V2, V4, V5, V6, V7, V24, V25, V26, V27) \
	FMLA4(V3, V4, V5, V6, V7, V28, V29, V30, V31)

// FOLD adds the lanes of four sums to the four lanes of s0, and scales them.
#define FOLD(s0, s1, s2, s3) \
	VFADDP(s1, s0, s0) \
	VFADDP(s3, s2, s2) \
	VFADDP(s2, s0, s0) \
	VFMUL(8, s0, s0)

// func rowDotsNEON(dst, a, b *float32, count, height, cols, depth, strideDst, strideA, strideB int, scale float32)
//
// to and lhs point to the tile's rows, nextDst to its column, rhs to the first row of
// all, nextB to that of these columns. a0-a3, b0-b3: next of the rows. columns: those
// after these. left: depth after these values. V0-V3: of a. V4-V7: of b. V8: scale.
// V16-V31: sums, four for each row of a; all are folded in the same way.
TEXT ·rowDotsNEON(SB), NOSPLIT, $0-84
	MOVD  dst+0(FP), to
	MOVD  a+8(FP), lhs
	MOVD  count+24(FP), tiles
	MOVD  height+32(FP), rows
	MOVD  depth+48(FP), length
	MOVD  strideDst+56(FP), stride
	MOVD  strideA+64(FP), stepA
	MOVD  strideB+72(FP), stepB
	FMOVS scale+80(FP), F8
	VDUP  V8.S[0], V8.S4

row:
	MOVD to, nextDst
	MOVD b+16(FP), nextB
	MOVD cols+40(FP), columns
	SUBS $4, columns, columns
	BLT  narrow

wide:
	MOVD lhs, a0
	MOVD nextB, b0
	ADD  stepB, b0, b1
	ADD  stepB, b1, b2
	ADD  stepB, b2, b3
	ADD  stepB, b3, nextB
	CLEAR(V16, V17, V18, V19)
	CMP  $1, rows
	BEQ  single
	ROWS(stepA, a0, a1, a2, a3)
	CLEAR(V20, V21, V22, V23)
	CLEAR(V24, V25, V26, V27)
	CLEAR(V28, V29, V30, V31)
	SUBS $4, length, left
	BLT  wideRest

	// 4 rows by 4 rows by 4 values an iteration: 8 vector loads, 16 FMLA.
wideDepth:
	LOAD4(a0, a1, a2, a3, V0, V1, V2, V3)
	LOAD4(b0, b1, b2, b3, V4, V5, V6, V7)
	TILE
	SUBS $4, left, left
	BGE  wideDepth

wideRest:
	ADDS $4, left, left
	BEQ  wideFold

wideOne:
	LOAD1(a0, a1, a2, a3, F0, F1, F2, F3)
	LOAD1(b0, b1, b2, b3, F4, F5, F6, F7)
	TILE
	SUBS $1, left, left
	BNE  wideOne

wideFold:
	FOLD(16, 17, 18, 19)
	FOLD(20, 21, 22, 23)
	FOLD(24, 25, 26, 27)
	FOLD(28, 29, 30, 31)
	ROWS(stride, nextDst, c1, c2, c3)
	VST1   [V20.S4], (c1)
	VST1   [V24.S4], (c2)
	VST1   [V28.S4], (c3)
	VST1.P [V16.S4], 16(nextDst)
	SUBS   $4, columns, columns
	BGE    wide
	B      narrow

single:
	SUBS $4, length, left
	BLT  singleRest

	// 1 row by 4 rows by 4 values an iteration: 5 vector loads, 4 FMLA.
singleDepth:
	VLD1.P 16(a0), [V0.S4]
	LOAD4(b0, b1, b2, b3, V4, V5, V6, V7)
	FMLA4(V0, V4, V5, V6, V7, V16, V17, V18, V19)
	SUBS   $4, left, left
	BGE    singleDepth

singleRest:
	ADDS $4, left, left
	BEQ  singleFold

singleOne:
	FMOVS.P 4(a0), F0
	LOAD1(b0, b1, b2, b3, F4, F5, F6, F7)
	FMLA4(V0, V4, V5, V6, V7, V16, V17, V18, V19)
	SUBS    $1, left, left
	BNE     singleOne

singleFold:
	FOLD(16, 17, 18, 19)
	VST1.P [V16.S4], 16(nextDst)
	SUBS   $4, columns, columns
	BGE    wide

	// The last rows of b, one at a time.
narrow:
	ADDS $4, columns, columns
	BEQ  next

column:
	MOVD lhs, a0
	ROWS(stepA, a0, a1, a2, a3)
	MOVD nextB, b0
	ADD  stepB, nextB, nextB
	CLEAR(V16, V17, V18, V19)
	SUBS $4, length, left
	BLT  columnRest

	// 4 rows by 1 row by 4 values an iteration: 5 vector loads, 4 FMLA.
columnDepth:
	LOAD4(a0, a1, a2, a3, V0, V1, V2, V3)
	VLD1.P 16(b0), [V4.S4]
	FMLA4(V4, V0, V1, V2, V3, V16, V17, V18, V19)
	SUBS   $4, left, left
	BGE    columnDepth

columnRest:
	ADDS $4, left, left
	BEQ  columnFold

columnOne:
	LOAD1(a0, a1, a2, a3, F0, F1, F2, F3)
	FMOVS.P 4(b0), F4
	FMLA4(V4, V0, V1, V2, V3, V16, V17, V18, V19)
	SUBS    $1, left, left
	BNE     columnOne

columnFold:
	FOLD(16, 17, 18, 19)
	ROWS(stride, nextDst, c1, c2, c3)
	VST1    V16.S[3], (c3)
	VST1    V16.S[2], (c2)
	VST1    V16.S[1], (c1)
	FMOVS.P F16, 4(nextDst)
	SUBS    $1, columns, columns
	BNE     column

next:
	MADD stride, to, rows, to
	MADD stepA, lhs, rows, lhs
	SUBS $1, tiles, tiles
	BNE  row
	RET
