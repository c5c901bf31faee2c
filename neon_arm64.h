// NEON instructions that Go's assembler has no mnemonic for.
//
// Operands are register numbers, 0 to 31, because the preprocessor cannot paste
// tokens: VFADD(1, 2, 3) is what VFADD V1.S4, V2.S4, V3.S4 would be. As in Go's
// own mnemonics the last operand is written. Above each macro stands the ARM
// form of the word; package asm decodes the word and compares. Operands in a
// fixed place of the word are m at bit 16, n at bit 5 and d at bit 0.

// Three registers: 0 Q U 01110 size 1 Rm opcode 1 Rn Rd.

// fadd Vd.4s, Vn.4s, Vm.4s
#define VFADD(m, n, d) WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d))

// fsub Vd.4s, Vn.4s, Vm.4s
#define VFSUB(m, n, d) WORD $(0x4ea0d400 | (m)<<16 | (n)<<5 | (d))

// fmul Vd.4s, Vn.4s, Vm.4s
#define VFMUL(m, n, d) WORD $(0x6e20dc00 | (m)<<16 | (n)<<5 | (d))

// fdiv Vd.4s, Vn.4s, Vm.4s
#define VFDIV(m, n, d) WORD $(0x6e20fc00 | (m)<<16 | (n)<<5 | (d))

// fmin Vd.4s, Vn.4s, Vm.4s
#define VFMIN(m, n, d) WORD $(0x4ea0f400 | (m)<<16 | (n)<<5 | (d))

// fmax Vd.4s, Vn.4s, Vm.4s
#define VFMAX(m, n, d) WORD $(0x4e20f400 | (m)<<16 | (n)<<5 | (d))

// fcmgt Vd.4s, Vn.4s, Vm.4s
#define VFCMGT(m, n, d) WORD $(0x6ea0e400 | (m)<<16 | (n)<<5 | (d))

// faddp Vd.4s, Vn.4s, Vm.4s
#define VFADDP(m, n, d) WORD $(0x6e20d400 | (m)<<16 | (n)<<5 | (d))

// Two registers: 0 Q U 01110 size 10000 opcode 10 Rn Rd.

// fabs Vd.4s, Vn.4s
#define VFABS(n, d) WORD $(0x4ea0f800 | (n)<<5 | (d))

// Two registers, across the lanes: 0 Q U 11110 size 11000 opcode 10 Rn Rd.

// faddp Sd, Vn.2s
#define VFADDPS(n, d) WORD $(0x7e30d800 | (n)<<5 | (d))

// fmaxv Sd, Vn.4s
#define VFMAXV(n, d) WORD $(0x6e30f800 | (n)<<5 | (d))

// Three registers, the multiplier a lane of Vm: 0 Q U 01111 size L M Rm opcode H 0 Rn Rd.

// fmla Vd.4s, Vn.4s, Vm.s[0]
#define VFMLA0(m, n, d) WORD $(0x4f801000 | (m)<<16 | (n)<<5 | (d))

// fmla Vd.4s, Vn.4s, Vm.s[1]
#define VFMLA1(m, n, d) WORD $(0x4fa01000 | (m)<<16 | (n)<<5 | (d))

// fmla Vd.4s, Vn.4s, Vm.s[2]
#define VFMLA2(m, n, d) WORD $(0x4f801800 | (m)<<16 | (n)<<5 | (d))

// fmla Vd.4s, Vn.4s, Vm.s[3]
#define VFMLA3(m, n, d) WORD $(0x4fa01800 | (m)<<16 | (n)<<5 | (d))
