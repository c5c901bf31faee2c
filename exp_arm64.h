// The constants of exp in kernel/exp.go, as EXP wants them, and -Inf.
DATA expNEON<>+0(SB)/4, $0xc2aeac4f // cutoff
DATA expNEON<>+4(SB)/4, $0x4b400000 // rounder
DATA expNEON<>+8(SB)/4, $0x3fb8aa3b // log2e
DATA expNEON<>+12(SB)/4, $0x3f317200 // ln2Hi
DATA expNEON<>+16(SB)/4, $0x35bfbe8e // ln2Lo
DATA expNEON<>+20(SB)/4, $0x3ab5121a // c6
DATA expNEON<>+24(SB)/4, $0x3c091cf1 // c5
DATA expNEON<>+28(SB)/4, $0x3d2aac79 // c4
DATA expNEON<>+32(SB)/4, $0x3e2aaa49 // c3
DATA expNEON<>+36(SB)/4, $0x3efffffe // c2
DATA expNEON<>+40(SB)/4, $0x3f800000 // 1
DATA expNEON<>+44(SB)/4, $0xff800000 // -Inf
GLOBL expNEON<>(SB), RODATA|NOPTR, $48

// LOADEXP sets V16 to V27 to these constants and V29 to 0. It uses p.
#define LOADEXP(p) \
	MOVD    $expNEON<>(SB), p                       \
	VLD4R.P 16(p), [V16.S4, V17.S4, V18.S4, V19.S4] \
	VLD4R.P 16(p), [V20.S4, V21.S4, V22.S4, V23.S4] \
	VLD4R   (p), [V24.S4, V25.S4, V26.S4, V27.S4]   \
	VEOR    V29.B16, V29.B16, V29.B16

// HORNER sets q = c + p·t, one step of a polynomial.
#define HORNER(c, p, t, q) \
	VMOV  c.B16, q.B16     \
	VFMLA p.S4, t.S4, q.S4

// HORNERAT is HORNER with a lane for c.
#define HORNERAT(c, p, t, q) \
	VDUP  c, q.S4 \
	VFMLA p.S4, t.S4, q.S4

// EXP replaces the lanes of V0 and V1, which are at most 0 or NaN, by e^t as
// kernel/exp.go computes it, but fused. The two vectors go side by side, because
// an in-order core waits for each result.
//
// V2, V3: rounder + k, then 2^k. V4 to V7: k, then the polynomial. V8, V9: lanes
// below cutoff. V16 to V26: cutoff, rounder, log2e, ln2Hi, ln2Lo, c6, c5, c4, c3,
// c2, 1. V29: 0.
#define EXP \
	VFCMGT(0, 16, 8)              \
	VFCMGT(1, 16, 9)              \
	HORNER(V17, V18, V0, V2)      \
	HORNER(V17, V18, V1, V3)      \
	VFSUB(17, 2, 4)               \
	VFSUB(17, 3, 5)               \
	VFMLS V19.S4, V4.S4, V0.S4    \
	VFMLS V19.S4, V5.S4, V1.S4    \
	VFMLS V20.S4, V4.S4, V0.S4    \
	VFMLS V20.S4, V5.S4, V1.S4    \
	HORNER(V22, V21, V0, V4)      \
	HORNER(V22, V21, V1, V5)      \
	HORNER(V23, V4, V0, V6)       \
	HORNER(V23, V5, V1, V7)       \
	HORNER(V24, V6, V0, V4)       \
	HORNER(V24, V7, V1, V5)       \
	HORNER(V25, V4, V0, V6)       \
	HORNER(V25, V5, V1, V7)       \
	HORNER(V26, V6, V0, V4)       \
	HORNER(V26, V7, V1, V5)       \
	HORNER(V26, V4, V0, V6)       \
	HORNER(V26, V5, V1, V7)       \
	VSHL  $23, V2.S4, V2.S4       \
	VSHL  $23, V3.S4, V3.S4       \
	VADD  V26.S4, V2.S4, V2.S4    \
	VADD  V26.S4, V3.S4, V3.S4    \
	VFMUL(2, 6, 0)                \
	VFMUL(3, 7, 1)                \
	VBIT  V8.B16, V29.B16, V0.B16 \
	VBIT  V9.B16, V29.B16, V1.B16
