//go:build !purego

#include "textflag.h"

// func loads(a, b []float32)
//
// SI, DI: next of a, b. CX: values after this block.
TEXT ·loads(SB), NOSPLIT, $0-48
	MOVQ a_base+0(FP), SI
	MOVQ b_base+24(FP), DI
	MOVQ a_len+8(FP), CX
	SUBQ $32, CX
	JLT  done

	// 32 values an iteration: 8 loads.
block:
	VMOVUPS (SI), Y0
	VMOVUPS (DI), Y1
	VMOVUPS 32(SI), Y2
	VMOVUPS 32(DI), Y3
	VMOVUPS 64(SI), Y4
	VMOVUPS 64(DI), Y5
	VMOVUPS 96(SI), Y6
	VMOVUPS 96(DI), Y7
	ADDQ    $128, SI
	ADDQ    $128, DI
	SUBQ    $32, CX
	JGE     block

done:
	VZEROUPPER
	RET
