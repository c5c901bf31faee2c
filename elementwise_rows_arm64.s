//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

#define dst    R0
#define x      R1
#define end    R2
#define weight R3
#define bias   R4
#define n      R5
#define left   R6
#define next   R7
#define w      R8
#define b      R9

// FOLD adds all lanes of V16 to V19 into the lowest of V16.
#define FOLD \
	VFADD(17, 16, 16)  \
	VFADD(19, 18, 18)  \
	VFADD(18, 16, 16)  \
	VFADDP(16, 16, 16) \
	VFADDPS(16, 16)

#define ZEROSUMS \
	VEOR V16.B16, V16.B16, V16.B16 \
	VEOR V17.B16, V17.B16, V17.B16 \
	VEOR V18.B16, V18.B16, V18.B16 \
	VEOR V19.B16, V19.B16, V19.B16

// func layerNormNEON(dst, x, weight, bias []float32)
//
// Three passes over each row: for the sum, for the squares and to write. dst and x
// point to the row, end after the last one, next, w and b to the next value of x,
// weight and bias; n is the values of a row, left those after this block. V0-V3: of
// x. V4-V7: of weight. V20-V23: of bias, then of dst. V16-V19: sums. V24: mean. V25:
// 1/sqrt(variance + 1e-5). V26: 1/n. V27: 1e-5. V28: 1. A scalar instruction clears
// the other lanes, which then add 0.
TEXT ·layerNormNEON(SB), NOSPLIT, $0-96
	MOVD   dst_base+0(FP), dst
	MOVD   x_base+24(FP), x
	MOVD   x_len+32(FP), end
	MOVD   weight_base+48(FP), weight
	MOVD   weight_len+56(FP), n
	MOVD   bias_base+72(FP), bias
	ADD    end<<2, x, end
	FMOVS  $1.0, F28
	FMOVS  $1e-5, F27
	SCVTFS n, F26
	FDIVS  F26, F28, F26

row:
	ZEROSUMS
	MOVD x, next
	SUBS $16, n, left
	BLT  sumFour

	// 16 values an iteration: 4 vector loads, 4 FADD.
sumBlock:
	VLD1.P 64(next), [V0.S4, V1.S4, V2.S4, V3.S4]
	VFADD(0, 16, 16)
	VFADD(1, 17, 17)
	VFADD(2, 18, 18)
	VFADD(3, 19, 19)
	SUBS   $16, left, left
	BGE    sumBlock

sumFour:
	ADDS $12, left, left
	BLT  sumTail

sumVector:
	VLD1.P 16(next), [V0.S4]
	VFADD(0, 16, 16)
	SUBS   $4, left, left
	BGE    sumVector

sumTail:
	ANDS $3, left, left
	BEQ  sumDone

sumOne:
	FMOVS.P 4(next), F0
	VFADD(0, 17, 17)
	SUBS    $1, left, left
	BNE     sumOne

sumDone:
	FOLD
	FMULS F26, F16, F24
	VDUP  V24.S[0], V24.S4

	ZEROSUMS
	MOVD x, next
	SUBS $16, n, left
	BLT  squareFour

	// 16 values an iteration: 4 vector loads, 4 FSUB, 4 FMLA.
squareBlock:
	VLD1.P 64(next), [V0.S4, V1.S4, V2.S4, V3.S4]
	VFSUB(24, 0, 0)
	VFSUB(24, 1, 1)
	VFSUB(24, 2, 2)
	VFSUB(24, 3, 3)
	VFMLA  V0.S4, V0.S4, V16.S4
	VFMLA  V1.S4, V1.S4, V17.S4
	VFMLA  V2.S4, V2.S4, V18.S4
	VFMLA  V3.S4, V3.S4, V19.S4
	SUBS   $16, left, left
	BGE    squareBlock

squareFour:
	ADDS $12, left, left
	BLT  squareTail

squareVector:
	VLD1.P 16(next), [V0.S4]
	VFSUB(24, 0, 0)
	VFMLA  V0.S4, V0.S4, V16.S4
	SUBS   $4, left, left
	BGE    squareVector

squareTail:
	ANDS $3, left, left
	BEQ  squareDone

squareOne:
	FMOVS.P 4(next), F0
	FSUBS   F24, F0, F0
	VFMLA   V0.S4, V0.S4, V17.S4
	SUBS    $1, left, left
	BNE     squareOne

squareDone:
	FOLD
	FMULS  F26, F16, F16
	FADDS  F27, F16, F16
	FSQRTS F16, F16
	FDIVS  F16, F28, F25
	VDUP   V25.S[0], V25.S4

	MOVD x, next
	MOVD weight, w
	MOVD bias, b
	SUBS $16, n, left
	BLT  writeFour

	// 16 values an iteration: 12 vector loads, 4 FSUB, 4 FMUL, 4 FMLA, 4 stores.
writeBlock:
	VLD1.P 64(next), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(w), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(b), [V20.S4, V21.S4, V22.S4, V23.S4]
	VFSUB(24, 0, 0)
	VFSUB(24, 1, 1)
	VFSUB(24, 2, 2)
	VFSUB(24, 3, 3)
	VFMUL(25, 0, 0)
	VFMUL(25, 1, 1)
	VFMUL(25, 2, 2)
	VFMUL(25, 3, 3)
	VFMLA  V4.S4, V0.S4, V20.S4
	VFMLA  V5.S4, V1.S4, V21.S4
	VFMLA  V6.S4, V2.S4, V22.S4
	VFMLA  V7.S4, V3.S4, V23.S4
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(dst)
	SUBS   $16, left, left
	BGE    writeBlock

writeFour:
	ADDS $12, left, left
	BLT  writeTail

writeVector:
	VLD1.P 16(next), [V0.S4]
	VLD1.P 16(w), [V4.S4]
	VLD1.P 16(b), [V20.S4]
	VFSUB(24, 0, 0)
	VFMUL(25, 0, 0)
	VFMLA  V4.S4, V0.S4, V20.S4
	VST1.P [V20.S4], 16(dst)
	SUBS   $4, left, left
	BGE    writeVector

writeTail:
	ANDS $3, left, left
	BEQ  written

writeOne:
	FMOVS.P 4(next), F0
	FMOVS.P 4(w), F4
	FMOVS.P 4(b), F20
	FSUBS   F24, F0, F0
	FMULS   F25, F0, F0
	FMADDS  F4, F20, F0, F20
	FMOVS.P F20, 4(dst)
	SUBS    $1, left, left
	BNE     writeOne

	// next and dst have come to the next row.
written:
	MOVD next, x
	CMP  end, x
	BNE  row
	RET

#undef x
#undef left
#define x       R0
#define height  R1
#define width   R2
#define step    R3
#define row     R4
#define left    R5

// SCALES turns the sums in V14 and V15 into the factors 1/max(sum, 1).
#define SCALES \
	VFMAX(26, 14, 14) \
	VFMAX(26, 15, 15) \
	VFDIV(14, 26, 14) \
	VFDIV(15, 26, 15)

// func softmaxColumnsNEON(x []float32, rows, columns, stride int)
//
// Strips of 8 columns, then of 4, then single ones, and three passes down the rows
// of each: for the largest values, for exponentials and sums, and to scale. x points
// to the strip in the first row, row to it in this row; height is the rows, width
// the columns after this strip, step the bytes from row to row, left the rows from
// this one. V0, V1: of x. V2-V9: of EXP. V10: the lowest finite value. V12, V13: the
// largest. V14, V15: sums. V16-V26, V29: of EXP. Narrow strips leave V1 to whatever
// it holds.
TEXT ·softmaxColumnsNEON(SB), NOSPLIT, $0-48
	MOVD x_base+0(FP), x
	MOVD rows+24(FP), height
	MOVD columns+32(FP), width
	MOVD stride+40(FP), step
	LSL  $2, step, step
	LOADEXP(R6)
	MOVW $0xff7fffff, R6
	VDUP R6, V10.S4
	VEOR V1.B16, V1.B16, V1.B16
	SUBS $8, width, width
	BLT  narrow

eight:
	VMOV V10.B16, V12.B16
	VMOV V10.B16, V13.B16
	MOVD x, row
	MOVD height, left

	// 8 values an iteration: 2 vector loads, 2 FMAX.
eightMax:
	VLD1 (row), [V0.S4, V1.S4]
	VFMAX(0, 12, 12)
	VFMAX(1, 13, 13)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  eightMax

	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	MOVD x, row
	MOVD height, left

	// 8 values an iteration: 48 vector operations, 18 of them FMLA or FMLS.
eightExp:
	VLD1 (row), [V0.S4, V1.S4]
	VFSUB(12, 0, 0)
	VFSUB(13, 1, 1)
	EXP
	VFADD(0, 14, 14)
	VFADD(1, 15, 15)
	VST1 [V0.S4, V1.S4], (row)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  eightExp

	SCALES
	MOVD x, row
	MOVD height, left

	// 8 values an iteration: 2 vector loads, 2 FMUL, 2 stores.
eightScale:
	VLD1 (row), [V0.S4, V1.S4]
	VFMUL(14, 0, 0)
	VFMUL(15, 1, 1)
	VST1 [V0.S4, V1.S4], (row)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  eightScale

	ADD  $32, x, x
	SUBS $8, width, width
	BGE  eight

narrow:
	TBZ  $2, width, tail
	VMOV V10.B16, V12.B16
	VEOR V14.B16, V14.B16, V14.B16
	MOVD x, row
	MOVD height, left

fourMax:
	VLD1 (row), [V0.S4]
	VFMAX(0, 12, 12)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  fourMax

	MOVD x, row
	MOVD height, left

fourExp:
	VLD1 (row), [V0.S4]
	VFSUB(12, 0, 0)
	EXP
	VFADD(0, 14, 14)
	VST1 [V0.S4], (row)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  fourExp

	SCALES
	MOVD x, row
	MOVD height, left

fourScale:
	VLD1 (row), [V0.S4]
	VFMUL(14, 0, 0)
	VST1 [V0.S4], (row)
	ADD  step, row, row
	SUBS $1, left, left
	BNE  fourScale

	ADD $16, x, x

tail:
	ANDS $3, width, width
	BEQ  done

one:
	VMOV V10.B16, V12.B16
	VEOR V14.B16, V14.B16, V14.B16
	MOVD x, row
	MOVD height, left

oneMax:
	FMOVS (row), F0
	FMAXS F0, F12, F12
	ADD   step, row, row
	SUBS  $1, left, left
	BNE   oneMax

	MOVD x, row
	MOVD height, left

oneExp:
	FMOVS (row), F0
	FSUBS F12, F0, F0
	EXP
	FADDS F0, F14, F14
	FMOVS F0, (row)
	ADD   step, row, row
	SUBS  $1, left, left
	BNE   oneExp

	SCALES
	MOVD x, row
	MOVD height, left

oneScale:
	FMOVS (row), F0
	FMULS F14, F0, F0
	FMOVS F0, (row)
	ADD   step, row, row
	SUBS  $1, left, left
	BNE   oneScale

	ADD  $4, x, x
	SUBS $1, width, width
	BNE  one

done:
	RET
