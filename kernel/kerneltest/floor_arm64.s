//go:build !purego

#include "textflag.h"

// func loads(a, b []float32)
//
// R0, R1: next of a, b. R2: values after this block.
TEXT ·loads(SB), NOSPLIT, $0-48
	MOVD a_base+0(FP), R0
	MOVD b_base+24(FP), R1
	MOVD a_len+8(FP), R2
	SUBS $32, R2, R2
	BLT  done

	// 32 values an iteration: 16 vector loads.
block:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	SUBS   $32, R2, R2
	BGE    block

done:
	RET
