//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

// func dotNEON(a, b []float32) float32
//
// R0, R1: next of a, b. R2: values after this block. V0-V3: of a. V4-V7: of b.
// V16-V19: sums.
TEXT ·dotNEON(SB), NOSPLIT, $0-52
	MOVD a_base+0(FP), R0
	MOVD b_base+24(FP), R1
	MOVD a_len+8(FP), R2
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	SUBS $16, R2, R2
	BLT  eight

	// 16 values an iteration: 8 vector loads, 4 FMLA. The loads bind.
block:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VFMLA  V0.S4, V4.S4, V16.S4
	VFMLA  V1.S4, V5.S4, V17.S4
	VFMLA  V2.S4, V6.S4, V18.S4
	VFMLA  V3.S4, V7.S4, V19.S4
	SUBS   $16, R2, R2
	BGE    block

	// Fewer than 16 are left, and the low four bits of R2 still count them.
eight:
	TBZ    $3, R2, four
	VLD1.P 32(R0), [V0.S4, V1.S4]
	VLD1.P 32(R1), [V4.S4, V5.S4]
	VFMLA  V0.S4, V4.S4, V16.S4
	VFMLA  V1.S4, V5.S4, V17.S4

four:
	TBZ    $2, R2, two
	VLD1.P 16(R0), [V0.S4]
	VLD1.P 16(R1), [V4.S4]
	VFMLA  V0.S4, V4.S4, V18.S4

	// A load of a scalar clears the other lanes, which then add 0.
two:
	TBZ     $1, R2, one
	FMOVD.P 8(R0), F0
	FMOVD.P 8(R1), F4
	VFMLA   V0.S4, V4.S4, V19.S4

one:
	TBZ   $0, R2, fold
	FMOVS (R0), F0
	FMOVS (R1), F4
	VFMLA V0.S4, V4.S4, V19.S4

fold:
	VFADD(17, 16, 16)
	VFADD(19, 18, 18)
	VFADD(18, 16, 16)
	VFADDP(16, 16, 16)
	VFADDPS(16, 16)
	FMOVS F16, ret+48(FP)
	RET

// func maxNEON(x []float32, m float32) float32
//
// R0: next of x. R1: values after this block. V0, V1: of x. V16, V17: largest so
// far, both starting at m. FMAX keeps a NaN.
TEXT ·maxNEON(SB), NOSPLIT, $0-36
	MOVD  x_base+0(FP), R0
	MOVD  x_len+8(FP), R1
	FMOVS m+24(FP), F16
	VDUP  V16.S[0], V16.S4
	VMOV  V16.B16, V17.B16
	SUBS  $8, R1, R1
	BLT   four

	// 8 values an iteration: 2 vector loads, 2 FMAX.
block:
	VLD1.P 32(R0), [V0.S4, V1.S4]
	VFMAX(0, 16, 16)
	VFMAX(1, 17, 17)
	SUBS   $8, R1, R1
	BGE    block

	// Fewer than 8 are left, and the low three bits of R1 still count them.
four:
	TBZ    $2, R1, tail
	VLD1.P 16(R0), [V0.S4]
	VFMAX(0, 16, 16)

tail:
	ANDS $3, R1, R1
	BEQ  fold

one:
	VLD1R.P 4(R0), [V0.S4]
	VFMAX(0, 17, 17)
	SUBS    $1, R1, R1
	BNE     one

fold:
	VFMAX(17, 16, 16)
	VFMAXV(16, 16)
	FMOVS F16, ret+32(FP)
	RET

// func expSumNEON(dst, x []float32, m float32) float32
//
// R0, R1: next of dst, x. R2: values after this block. V0, V1: x - m, then
// e^(x - m). V2-V9: of EXP. V16-V27: constants. V28: m. V29: 0. V30, V31: sums.
TEXT ·expSumNEON(SB), NOSPLIT, $0-60
	MOVD    dst_base+0(FP), R0
	MOVD    x_base+24(FP), R1
	MOVD    x_len+32(FP), R2
	FMOVS   m+48(FP), F28
	VDUP    V28.S[0], V28.S4
	LOADEXP(R3)
	VEOR    V30.B16, V30.B16, V30.B16
	VEOR    V31.B16, V31.B16, V31.B16
	SUBS    $8, R2, R2
	BLT     tail

	// 8 values an iteration: 48 vector operations, 18 of them FMLA or FMLS.
block:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	VFSUB(28, 0, 0)
	VFSUB(28, 1, 1)
	EXP
	VFADD(0, 30, 30)
	VFADD(1, 31, 31)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2, R2
	BGE    block

	// The low three bits of R2 count the tail: four values in V0, two and then
	// one in V1. The other lanes are -Inf and add 0.
tail:
	ANDS $7, R2, R2
	BEQ  fold
	VMOV V27.B16, V0.B16
	VMOV V27.B16, V1.B16

	TBZ    $2, R2, loadTwo
	VLD1.P 16(R1), [V0.S4]

loadTwo:
	TBZ    $1, R2, loadOne
	VLD1.P 8(R1), V1.D[0]

loadOne:
	TBZ  $0, R2, loaded
	VLD1 (R1), V1.S[2]

loaded:
	VFSUB(28, 0, 0)
	VFSUB(28, 1, 1)
	EXP
	VFADD(0, 30, 30)
	VFADD(1, 31, 31)

	TBZ    $2, R2, storeTwo
	VST1.P [V0.S4], 16(R0)

storeTwo:
	TBZ    $1, R2, storeOne
	VST1.P V1.D[0], 8(R0)

storeOne:
	TBZ  $0, R2, fold
	VST1 V1.S[2], (R0)

fold:
	VFADD(31, 30, 30)
	VFADDP(30, 30, 30)
	VFADDPS(30, 30)
	FMOVS F30, ret+56(FP)
	RET

// func scaleNEON(x []float32, s float32)
//
// R0: next of x to write. R1: values after this block. R2: next of x to read, so
// that no load waits for the address that a store counts up. V0, V1: of x. V16: s.
TEXT ·scaleNEON(SB), NOSPLIT, $0-28
	MOVD  x_base+0(FP), R0
	MOVD  x_len+8(FP), R1
	MOVD  R0, R2
	FMOVS s+24(FP), F16
	VDUP  V16.S[0], V16.S4
	SUBS  $8, R1, R1
	BLT   tail

	// 8 values an iteration: 2 vector loads, 2 FMUL, 2 vector stores.
block:
	VLD1.P 32(R2), [V0.S4, V1.S4]
	VFMUL(16, 0, 0)
	VFMUL(16, 1, 1)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R1, R1
	BGE    block

tail:
	ANDS $7, R1, R1
	BEQ  done

one:
	FMOVS   (R0), F0
	FMULS   F16, F0, F0
	FMOVS.P F0, 4(R0)
	SUBS    $1, R1, R1
	BNE     one

done:
	RET

#define dst     R0
#define columns R1
#define gates   R2
#define rows    R3
#define regions R4
#define stride  R5
#define gate    R6
#define row     R7
#define left    R8

// func gatedSumNEON(dst, gates, regions []float32)
//
// Strips of 16 columns, then of 4, then single ones. A strip's sums stay in
// registers for all rows: dst and even rows in V16-V19, odd rows in V20-V23.
// regions points to the strip in the first row, row to the strip in the next
// row, gate to the next gate; stride is the bytes of a row, left the rows after
// these two. V0-V7: of two rows. V24, V25: their gates.
TEXT ·gatedSumNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), dst
	MOVD dst_len+8(FP), columns
	MOVD gates_base+24(FP), gates
	MOVD gates_len+32(FP), rows
	MOVD regions_base+48(FP), regions
	LSL  $2, columns, stride
	SUBS $16, columns, columns
	BLT  narrow

wide:
	VLD1 (dst), [V16.S4, V17.S4, V18.S4, V19.S4]
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	MOVD gates, gate
	MOVD regions, row
	SUBS $2, rows, left
	BLT  wideLast

	// 32 values an iteration: 8 vector loads, 2 of a gate, 8 FMLA.
wideRows:
	VLD1R.P 4(gate), [V24.S4]
	VLD1R.P 4(gate), [V25.S4]
	VLD1.P  (row)(stride), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P  (row)(stride), [V4.S4, V5.S4, V6.S4, V7.S4]
	VFMLA   V24.S4, V0.S4, V16.S4
	VFMLA   V24.S4, V1.S4, V17.S4
	VFMLA   V24.S4, V2.S4, V18.S4
	VFMLA   V24.S4, V3.S4, V19.S4
	VFMLA   V25.S4, V4.S4, V20.S4
	VFMLA   V25.S4, V5.S4, V21.S4
	VFMLA   V25.S4, V6.S4, V22.S4
	VFMLA   V25.S4, V7.S4, V23.S4
	SUBS    $2, left, left
	BGE     wideRows

wideLast:
	TBZ   $0, left, wideStore
	VLD1R (gate), [V24.S4]
	VLD1  (row), [V0.S4, V1.S4, V2.S4, V3.S4]
	VFMLA V24.S4, V0.S4, V16.S4
	VFMLA V24.S4, V1.S4, V17.S4
	VFMLA V24.S4, V2.S4, V18.S4
	VFMLA V24.S4, V3.S4, V19.S4

wideStore:
	VFADD(20, 16, 16)
	VFADD(21, 17, 17)
	VFADD(22, 18, 18)
	VFADD(23, 19, 19)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(dst)
	ADD    $64, regions, regions
	SUBS   $16, columns, columns
	BGE    wide

narrow:
	ADDS $12, columns, columns
	BLT  tail

strip:
	VLD1 (dst), [V16.S4]
	VEOR V20.B16, V20.B16, V20.B16
	MOVD gates, gate
	MOVD regions, row
	SUBS $2, rows, left
	BLT  stripLast

	// 8 values an iteration: 2 vector loads, 2 of a gate, 2 FMLA.
stripRows:
	VLD1R.P 4(gate), [V24.S4]
	VLD1R.P 4(gate), [V25.S4]
	VLD1.P  (row)(stride), [V0.S4]
	VLD1.P  (row)(stride), [V4.S4]
	VFMLA   V24.S4, V0.S4, V16.S4
	VFMLA   V25.S4, V4.S4, V20.S4
	SUBS    $2, left, left
	BGE     stripRows

stripLast:
	TBZ   $0, left, stripStore
	VLD1R (gate), [V24.S4]
	VLD1  (row), [V0.S4]
	VFMLA V24.S4, V0.S4, V16.S4

stripStore:
	VFADD(20, 16, 16)
	VST1.P [V16.S4], 16(dst)
	ADD    $16, regions, regions
	SUBS   $4, columns, columns
	BGE    strip

tail:
	ANDS $3, columns, columns
	BEQ  done

column:
	FMOVS (dst), F16
	VEOR  V20.B16, V20.B16, V20.B16
	MOVD  gates, gate
	MOVD  regions, row
	SUBS  $2, rows, left
	BLT   columnLast

	// 2 values an iteration: 2 loads, 2 of a gate, 2 FMADD.
columnRows:
	FMOVS.P 4(gate), F24
	FMOVS.P 4(gate), F25
	FMOVS   (row), F0
	ADD     stride, row, row
	FMOVS   (row), F4
	ADD     stride, row, row
	FMADDS  F24, F16, F0, F16
	FMADDS  F25, F20, F4, F20
	SUBS    $2, left, left
	BGE     columnRows

columnLast:
	TBZ    $0, left, columnStore
	FMOVS  (gate), F24
	FMOVS  (row), F0
	FMADDS F24, F16, F0, F16

columnStore:
	FADDS   F20, F16, F16
	FMOVS.P F16, 4(dst)
	ADD     $4, regions, regions
	SUBS    $1, columns, columns
	BNE     column

done:
	RET
