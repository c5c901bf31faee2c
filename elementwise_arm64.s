//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

// Of tanh and gelu: R0, R1: next of dst, x. R2: values after this block. V12, V13:
// of x. V0, V1: of dst. The low three bits of R2 count the tail: four values in the
// first vector, two and then one in the second.

// func reluNEON(dst, x []float32)
//
// R0, R1: next of dst, x. R2: values after this block. V0-V3: of x. V29: 0.
TEXT ·reluNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD x_base+24(FP), R1
	MOVD x_len+32(FP), R2
	VEOR V29.B16, V29.B16, V29.B16
	SUBS $16, R2, R2
	BLT  four

	// 16 values an iteration: 4 vector loads, 4 FMAX, 4 vector stores.
block:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VFMAX(29, 0, 0)
	VFMAX(29, 1, 1)
	VFMAX(29, 2, 2)
	VFMAX(29, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2, R2
	BGE    block

four:
	ADDS $12, R2, R2
	BLT  tail

vector:
	VLD1.P 16(R1), [V0.S4]
	VFMAX(29, 0, 0)
	VST1.P [V0.S4], 16(R0)
	SUBS   $4, R2, R2
	BGE    vector

tail:
	ANDS $3, R2, R2
	BEQ  done

one:
	FMOVS.P 4(R1), F0
	VFMAX(29, 0, 0)
	FMOVS.P F0, 4(R0)
	SUBS    $1, R2, R2
	BNE     one

done:
	RET

// The constants of kernel/tanh.go.
DATA tanhNEON<>+0(SB)/4, $0x3cac9e83 // c9
DATA tanhNEON<>+4(SB)/4, $0xbd5c943d // c7
DATA tanhNEON<>+8(SB)/4, $0x3e088693 // c5
DATA tanhNEON<>+12(SB)/4, $0xbeaaaaa5 // c3
DATA tanhNEON<>+16(SB)/4, $0xbbcd9821 // c11
DATA tanhNEON<>+20(SB)/4, $0xbf8ccccd // -1.1
DATA tanhNEON<>+24(SB)/4, $0x80000000 // the sign bit
GLOBL tanhNEON<>(SB), RODATA|NOPTR, $28

// TANH sets V0 and V1 to the hyperbolic tangents of V12 and V13, as kernel/tanh.go
// computes them, but fused.
//
// V0, V1: -2|x|, then E, then the larger form. V2-V9: of EXP, then x*x, the
// polynomial and the smaller form. V10: c9, c7, c5, c3. V11: c11. V16-V26, V29: of
// EXP. V27: sign bits. V28: -1.1. V30, V31: lanes of the smaller form.
#define TANH \
	VFADD(12, 12, 0)                  \
	VFADD(13, 13, 1)                  \
	VORR V27.B16, V0.B16, V0.B16      \
	VORR V27.B16, V1.B16, V1.B16      \
	VFCMGT(28, 0, 30)                 \
	VFCMGT(28, 1, 31)                 \
	EXP                               \
	VFADD(26, 0, 2)                   \
	VFADD(26, 1, 3)                   \
	VFADD(0, 0, 0)                    \
	VFADD(1, 1, 1)                    \
	VFDIV(2, 0, 0)                    \
	VFDIV(3, 1, 1)                    \
	VFSUB(0, 26, 0)                   \
	VFSUB(1, 26, 1)                   \
	VFMUL(12, 12, 2)                  \
	VFMUL(13, 13, 3)                  \
	HORNERAT(V10.S[0], V11, V2, V4)   \
	HORNERAT(V10.S[0], V11, V3, V5)   \
	HORNERAT(V10.S[1], V4, V2, V6)    \
	HORNERAT(V10.S[1], V5, V3, V7)    \
	HORNERAT(V10.S[2], V6, V2, V4)    \
	HORNERAT(V10.S[2], V7, V3, V5)    \
	HORNERAT(V10.S[3], V4, V2, V6)    \
	HORNERAT(V10.S[3], V5, V3, V7)    \
	VFMUL(2, 6, 6)                    \
	VFMUL(3, 7, 7)                    \
	HORNER(V12, V6, V12, V2)          \
	HORNER(V13, V7, V13, V3)          \
	VBIT V30.B16, V2.B16, V0.B16      \
	VBIT V31.B16, V3.B16, V1.B16      \
	VBIT V27.B16, V12.B16, V0.B16     \
	VBIT V27.B16, V13.B16, V1.B16

// func tanhNEON(dst, x []float32)
TEXT ·tanhNEON(SB), NOSPLIT, $0-48
	MOVD    dst_base+0(FP), R0
	MOVD    x_base+24(FP), R1
	MOVD    x_len+32(FP), R2
	LOADEXP(R3)
	MOVD    $tanhNEON<>(SB), R3
	VLD1.P  16(R3), [V10.S4]
	VLD1R.P 4(R3), [V11.S4]
	VLD1R.P 4(R3), [V28.S4]
	VLD1R   (R3), [V27.S4]
	SUBS    $8, R2, R2
	BLT     tail

	// 8 values an iteration: 94 vector operations, 2 of them divisions. They bind.
block:
	VLD1.P 32(R1), [V12.S4, V13.S4]
	TANH
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2, R2
	BGE    block

tail:
	ANDS $7, R2, R2
	BEQ  done
	VMOV V29.B16, V12.B16
	VMOV V29.B16, V13.B16

	TBZ    $2, R2, loadTwo
	VLD1.P 16(R1), [V12.S4]

loadTwo:
	TBZ    $1, R2, loadOne
	VLD1.P 8(R1), V13.D[0]

loadOne:
	TBZ  $0, R2, loaded
	VLD1 (R1), V13.S[2]

loaded:
	TANH

	TBZ    $2, R2, storeTwo
	VST1.P [V0.S4], 16(R0)

storeTwo:
	TBZ    $1, R2, storeOne
	VST1.P V1.D[0], 8(R0)

storeOne:
	TBZ  $0, R2, done
	VST1 V1.S[2], (R0)

done:
	RET

// The constants of kernel/gelu.go.
DATA geluNEON<>+0(SB)/4, $0x3d22150d // p3
DATA geluNEON<>+4(SB)/4, $0x3e386c53 // p2
DATA geluNEON<>+8(SB)/4, $0x3ede4127 // p1
DATA geluNEON<>+12(SB)/4, $0x3f000000 // p0, 0.5
DATA geluNEON<>+16(SB)/4, $0x3dcb27eb // q4
DATA geluNEON<>+20(SB)/4, $0x3eec2140 // q3
DATA geluNEON<>+24(SB)/4, $0x3f984269 // q2
DATA geluNEON<>+28(SB)/4, $0x3fd541ab // q1
DATA geluNEON<>+32(SB)/4, $0x3b81a9e2 // p4
DATA geluNEON<>+36(SB)/4, $0x3c2281b9 // q5
DATA geluNEON<>+40(SB)/4, $0x80000000 // -0
DATA geluNEON<>+44(SB)/4, $0 // nothing
DATA geluNEON<>+48(SB)/4, $0x41600000 // 14
GLOBL geluNEON<>(SB), RODATA|NOPTR, $52

// GELU sets V0 and V1 to the gelu of V12 and V13, as kernel/gelu.go computes it,
// but fused.
//
// V0, V1: -a*a/2 rounded, then its exponential. V2-V9: of EXP, then e^(-a*a/2), p
// and q. V10: p3, p2, p1, p0. V11: q4, q3, q2, q1. V14, V15: a. V16-V26, V29: of
// EXP. V27: p4, q5, -0. V28: 14. V30, V31: what rounding took from the exponents.
#define GELU \
	VFABS(12, 14)                   \
	VFABS(13, 15)                   \
	VFMIN(28, 14, 14)               \
	VFMIN(28, 15, 15)               \
	VDUP  V10.S[3], V4.S4           \
	VFMUL(4, 14, 5)                 \
	VFMUL(4, 15, 6)                 \
	VFMUL(5, 14, 30)                \
	VFMUL(6, 15, 31)                \
	VFSUB(30, 29, 0)                \
	VFSUB(31, 29, 1)                \
	VFMLS V5.S4, V14.S4, V30.S4     \
	VFMLS V6.S4, V15.S4, V31.S4     \
	EXP                             \
	HORNER(V0, V30, V0, V2)         \
	HORNER(V1, V31, V1, V3)         \
	VDUP  V10.S[0], V4.S4           \
	VDUP  V10.S[0], V5.S4           \
	VFMLA0(27, 14, 4)               \
	VFMLA0(27, 15, 5)               \
	HORNERAT(V10.S[1], V4, V14, V6) \
	HORNERAT(V10.S[1], V5, V15, V7) \
	HORNERAT(V10.S[2], V6, V14, V4) \
	HORNERAT(V10.S[2], V7, V15, V5) \
	HORNERAT(V10.S[3], V4, V14, V6) \
	HORNERAT(V10.S[3], V5, V15, V7) \
	VFMUL(14, 6, 6)                 \
	VFMUL(15, 7, 7)                 \
	VDUP  V11.S[0], V4.S4           \
	VDUP  V11.S[0], V5.S4           \
	VFMLA1(27, 14, 4)               \
	VFMLA1(27, 15, 5)               \
	HORNERAT(V11.S[1], V4, V14, V8) \
	HORNERAT(V11.S[1], V5, V15, V9) \
	HORNERAT(V11.S[2], V8, V14, V4) \
	HORNERAT(V11.S[2], V9, V15, V5) \
	HORNERAT(V11.S[3], V4, V14, V8) \
	HORNERAT(V11.S[3], V5, V15, V9) \
	HORNER(V26, V8, V14, V4)        \
	HORNER(V26, V9, V15, V5)        \
	VFDIV(4, 6, 6)                  \
	VFDIV(5, 7, 7)                  \
	VFMUL(2, 6, 6)                  \
	VFMUL(3, 7, 7)                  \
	VDUP  V27.S[2], V8.S4           \
	VFMAX(8, 12, 0)                 \
	VFMAX(8, 13, 1)                 \
	VFSUB(6, 0, 0)                  \
	VFSUB(7, 1, 1)

// func geluNEON(dst, x []float32)
TEXT ·geluNEON(SB), NOSPLIT, $0-48
	MOVD   dst_base+0(FP), R0
	MOVD   x_base+24(FP), R1
	MOVD   x_len+32(FP), R2
	LOADEXP(R3)
	MOVD   $geluNEON<>(SB), R3
	VLD1.P 32(R3), [V10.S4, V11.S4]
	VLD1.P 16(R3), [V27.S4]
	VLD1R  (R3), [V28.S4]
	SUBS   $8, R2, R2
	BLT    tail

	// 8 values an iteration: 112 vector operations, 2 of them divisions. They bind.
block:
	VLD1.P 32(R1), [V12.S4, V13.S4]
	GELU
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2, R2
	BGE    block

tail:
	ANDS $7, R2, R2
	BEQ  done
	VMOV V29.B16, V12.B16
	VMOV V29.B16, V13.B16

	TBZ    $2, R2, loadTwo
	VLD1.P 16(R1), [V12.S4]

loadTwo:
	TBZ    $1, R2, loadOne
	VLD1.P 8(R1), V13.D[0]

loadOne:
	TBZ  $0, R2, loaded
	VLD1 (R1), V13.S[2]

loaded:
	GELU

	TBZ    $2, R2, storeTwo
	VST1.P [V0.S4], 16(R0)

storeTwo:
	TBZ    $1, R2, storeOne
	VST1.P V1.D[0], 8(R0)

storeOne:
	TBZ  $0, R2, done
	VST1 V1.S[2], (R0)

done:
	RET
