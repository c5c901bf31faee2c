//go:build !purego

#include "textflag.h"

// func transposeNEON(dst, a *float32, count, strideDst, strideA int)
//
// R0: dst of this block. R1: next row of a. R2: blocks left. R3, R4: bytes to the next
// row of dst, of a. R5: rows of dst. V0-V3: rows of a. V4-V7: pairs of them, interleaved.
// V8-V11: rows of dst.
TEXT ·transposeNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD count+16(FP), R2
	MOVD strideDst+24(FP), R3
	MOVD strideA+32(FP), R4

	// 4 by 4 values an iteration: 4 vector loads, 8 ZIP, 4 vector stores.
block:
	VLD1  (R1), [V0.S4]
	ADD   R4, R1, R1
	VLD1  (R1), [V1.S4]
	ADD   R4, R1, R1
	VLD1  (R1), [V2.S4]
	ADD   R4, R1, R1
	VLD1  (R1), [V3.S4]
	ADD   R4, R1, R1
	VZIP1 V2.S4, V0.S4, V4.S4
	VZIP2 V2.S4, V0.S4, V5.S4
	VZIP1 V3.S4, V1.S4, V6.S4
	VZIP2 V3.S4, V1.S4, V7.S4
	VZIP1 V6.S4, V4.S4, V8.S4
	VZIP2 V6.S4, V4.S4, V9.S4
	VZIP1 V7.S4, V5.S4, V10.S4
	VZIP2 V7.S4, V5.S4, V11.S4
	MOVD  R0, R5
	VST1  [V8.S4], (R5)
	ADD   R3, R5, R5
	VST1  [V9.S4], (R5)
	ADD   R3, R5, R5
	VST1  [V10.S4], (R5)
	ADD   R3, R5, R5
	VST1  [V11.S4], (R5)
	ADD   $16, R0, R0
	SUBS  $1, R2, R2
	BNE   block
	RET
